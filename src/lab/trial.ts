import type { CoordinatorConfig } from '../config/index.js';
import { weightsDigest } from '../core/digest.js';
import { LockstepError } from '../core/errors.js';
import type { EvaluationRecord } from '../core/events.js';
import type { RunSpec } from '../core/run-spec.js';
import { prepareSpec } from '../coordinator/prepare.js';
import { defaultDataset } from '../data/sources.js';
import { microBatchCount } from '../data/batch-plan.js';
import { noiseScaleOf } from '../optim/noise-scale.js';
import { memoryLinks } from '../transport/memory/memory-link.js';
import { prepareRun } from '../worker/prepare.js';
import type { PreparedRun } from '../worker/prepared-run.js';
import { trainLoop } from '../worker/train-loop.js';
import type { FinishedStep } from '../worker/train-step.js';
import { Patience, type PatienceRule } from './hopeless.js';
import type { SharedData } from './shared-data.js';
import { demandAccuracy, type TrialEnd, type TrialEvaluation, type TrialRecord } from './trial-record.js';

export interface TrialNeeds {
  readonly data: SharedData;
  /** Engine threads of each worker; they change no bit. */
  readonly threads: number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

export interface TrialRules {
  readonly patience: PatienceRule;
  /** Seconds of training after which a trial is cut off, whatever it has reached. */
  readonly secondsMax?: number | undefined;
}

export type TrialOutcome = Omit<TrialRecord, 'formatVersion' | 'key' | 'axes'>;
/** Of a trial in this process. */
export type TimedOutcome = TrialOutcome & Required<Pick<TrialRecord, 'computeSeconds' | 'stepSeconds'>>;

/**
 * Trains as `lockstep train` does with this configuration, to the same weights, but with all workers in this process:
 * links are function calls, and what remains to pay for is training.
 *
 * @param name - of the run, for messages
 * @param onEvaluation - told of each as it comes
 * @throws LockstepError for what is wrong with the configuration; a trial that diverges is an outcome
 */
export async function runTrial(
  config: CoordinatorConfig,
  name: string,
  rules: TrialRules,
  needs: TrialNeeds,
  onEvaluation: (evaluation: TrialEvaluation) => void = () => undefined,
): Promise<TimedOutcome> {
  const { data, threads } = needs;
  const prepared = await prepareSpec(config, name, undefined, { findDataset: data.find });
  const { spec } = prepared;
  demandAccuracy(spec);
  const own = spec.module?.sets;
  const testLength = own?.test.length ?? (await data.find(config.dataset ?? defaultDataset)).test.count;
  const runs = await Promise.all(
    Array.from({ length: config.workers }, () =>
      prepareRun(spec, 'auto', {
        threads,
        gpu: 'auto',
        cache: data.cache,
        fetchBlob: (sha256) => prepared.readBlob(sha256)!,
        log: { info: () => undefined, warn: () => undefined },
      }),
    ),
  );
  try {
    return await new Trial(runs, { spec, testLength }, rules, needs.nowMs, onEvaluation).run();
  } finally {
    await Promise.all(runs.map(({ engine }) => engine.stop()));
  }
}

class Trial {
  private readonly spec: RunSpec;
  private readonly patience: Patience;
  private readonly evaluations: TrialEvaluation[] = [];
  private readonly beginMs: number;
  private evaluationMs = 0;
  private computeSeconds = 0;
  private stepSeconds = 0;
  private samples = 0;
  private batch = 0;
  private end: TrialEnd | undefined;
  private stop: (end: TrialEnd) => void = () => undefined;

  constructor(
    private readonly runs: readonly PreparedRun[],
    private readonly task: { readonly spec: RunSpec; readonly testLength: number },
    private readonly rules: TrialRules,
    private readonly nowMs: () => number,
    private readonly onEvaluation: (evaluation: TrialEvaluation) => void,
  ) {
    this.spec = task.spec;
    this.patience = new Patience(rules.patience);
    this.beginMs = nowMs();
  }

  async run(): Promise<TimedOutcome> {
    const { runs, spec } = this;
    const links = memoryLinks(runs.length, 1);
    let isSealed = false;
    this.stop = (end) => {
      this.end ??= end;
      isSealed = true;
      for (const link of links) link.close('the trial is over');
    };
    const { batchPerWorker } = spec;
    const begin = {
      kind: 'begin',
      generation: { term: 1, number: 1 },
      members: [],
      shares: runs.map(() => 1),
      donor: 0,
      afterStep: 0,
      lastStep: spec.lastStep,
      ...(batchPerWorker === undefined ? {} : { globalBatchSize: spec.globalBatchSize }),
    } as const;
    const ignore = () => undefined;
    const silent = {
      stepFinished: ignore,
      evaluated: ignore,
      checkpointed: ignore,
      ended: ignore,
    };
    const watched = {
      ...silent,
      stepFinished: (step: FinishedStep) => this.stepFinished(step),
      evaluated: (record: EvaluationRecord, seconds: number) => this.evaluated(record, seconds),
      ended: (targetReached: boolean) => void (this.end ??= targetReached ? 'target' : 'finished'),
    };
    try {
      await Promise.all(
        runs.map((run, i) => trainLoop(run, begin, links[i]!, i === 0 ? watched : silent, this.nowMs, () => isSealed)),
      );
    } catch (error) {
      if (!(error instanceof LockstepError && error.code === 'NOT_FINITE')) throw error;
      this.stop('diverged');
    }
    const first = runs[0]!;
    if (this.end === 'time' || this.end === 'hopeless') await this.evaluatedAtCut(first);
    return {
      end: this.end ?? 'finished',
      ...(this.rules.secondsMax === undefined ? {} : { secondsMax: this.rules.secondsMax }),
      workers: runs.length,
      globalBatchSize: spec.globalBatchSize,
      microBatchSize: spec.microBatchSize,
      learningRate: spec.learningRate,
      engine: first.engine.name,
      trainLength: spec.dataset.trainLength,
      parameterCount: first.engine.layout.parameterCount,
      steps: first.state.progression.step,
      samples: this.samples,
      seconds: this.seconds(),
      computeSeconds: this.computeSeconds,
      stepSeconds: this.stepSeconds,
      weightsDigest: weightsDigest(first.state.now.weights),
      evaluations: this.evaluations,
    };
  }

  private seconds(): number {
    return (this.nowMs() - this.beginMs - this.evaluationMs) / 1000;
  }

  private stepFinished({ record }: FinishedStep): void {
    this.samples += record.sampleCount;
    this.batch = record.globalBatchSize;
    const { compute, wait, exchange, update } = record.seconds;
    this.computeSeconds += compute;
    this.stepSeconds += compute + wait + exchange + update;
    this.patience.add(record.sampleCount, record.accuracy!);
    if (this.patience.isOver) this.stop('hopeless');
    else if (this.seconds() > (this.rules.secondsMax ?? Infinity)) this.stop('time');
  }

  /** The test set is evaluated too, by one worker alone: nothing is decided by it. */
  private async evaluated(record: EvaluationRecord, seconds: number): Promise<void> {
    const beginMs = this.nowMs();
    this.evaluationMs += seconds * 1000;
    const run = this.runs[0]!;
    const { validationLength } = this.spec.dataset;
    const tested = validationLength && (await evaluateAlone(run, validationLength, this.task.testLength));
    this.evaluationMs += this.nowMs() - beginMs;
    const testAccuracy = record.testAccuracy!; //                      demandAccuracy has refused the others
    this.keep(record.step, { ...record, testAccuracy }, tested ? tested.testAccuracy : testAccuracy);
  }

  /** Where a trial is cut off, between two evaluations that all workers make together. */
  private async evaluatedAtCut(run: PreparedRun): Promise<void> {
    const { step } = run.state.progression;
    const { validationLength, testLength } = this.spec.dataset;
    if (this.evaluations.at(-1)?.step === step) return;
    const beginMs = this.nowMs();
    const own = await evaluateAlone(run, 0, testLength);
    const tested = validationLength ? await evaluateAlone(run, validationLength, this.task.testLength) : own;
    this.evaluationMs += this.nowMs() - beginMs;
    this.keep(step, own, tested.testAccuracy);
  }

  private keep(step: number, { testLoss, testAccuracy: accuracy }: Tested, testAccuracy: number): void {
    const noiseScale = noiseScaleOf(this.runs[0]!.state.progression.noise);
    const evaluation: TrialEvaluation = {
      step,
      epochs: this.samples / this.spec.dataset.trainLength,
      seconds: this.seconds(),
      loss: testLoss,
      accuracy,
      testAccuracy,
      batch: this.batch,
      ...(noiseScale === undefined ? {} : { noiseScale }),
    };
    this.evaluations.push(evaluation);
    this.onEvaluation(evaluation);
  }
}

interface Tested {
  readonly testLoss: number;
  readonly testAccuracy: number;
}

/** By one worker, without the others. @param firstPosition - behind the held-out samples comes the test set */
async function evaluateAlone(
  { engine, state, spec }: PreparedRun,
  firstPosition: number,
  sampleCount: number,
): Promise<Tested> {
  const range = { first: 0, end: microBatchCount(sampleCount, spec.microBatchSize) };
  const job = { purpose: 'evaluation', epoch: 0, firstPosition, sampleCount, range } as const;
  const { nodes } = await engine.compute({ ...job, weights: state.now.weights });
  const sum = (i: number): number => nodes.reduce((total, { values }) => total + values[i]!, 0);
  return { testLoss: sum(0) / sampleCount, testAccuracy: sum(1) / sampleCount };
}
