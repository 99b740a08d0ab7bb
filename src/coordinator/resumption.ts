/** Continuing a run in its folder, from its newest whole checkpoint. */
import { isDeepStrictEqual } from 'node:util';
import type { Begin } from '../cluster/messages.js';
import type { RunReport } from '../core/events.js';
import type { RunSpec } from '../core/run-spec.js';
import { numericsVersion } from '../core/versions.js';
import { parseSchedule } from '../optim/schedule-text.js';
import type { FoundCheckpoint } from '../store/checkpoints.js';
import { LockedFolder, RunFolder } from '../store/run-folder.js';
import { fault } from './faults.js';
import { readJournal } from './journal.js';
import { RunRecord } from './run-record.js';

/** What a run did before it is continued. */
export interface Earlier {
  readonly record: RunRecord;
  /** That it took, interruptions not counted. */
  readonly seconds: number;
  /** The highest term in its journal. */
  readonly term: number;
  /** Of a run whose workers go on: what its journal and folder say. */
  readonly restored?: {
    readonly newestBegin: Begin | undefined;
    readonly isEnded: boolean;
    readonly report: RunReport | undefined;
    /** Steps of the newest checkpoint and of the best weights on the disk; 0 without. */
    readonly savedCheckpointStep: number;
    readonly savedBestStep: number;
  };
}

export class Resumption {
  private constructor(
    private readonly locked: LockedFolder,
    readonly checkpoint: FoundCheckpoint,
    /** Of the earlier run, if it came to its end. */
    private readonly report: RunReport | undefined,
  ) {}

  /**
   * Takes the folder for this process and finds the checkpoint. Nothing in the folder changes, but damaged checkpoints get
   * another name.
   *
   * @param warn - told of each damaged checkpoint
   * @throws LockstepError `RUN_IN_USE`, `NO_CHECKPOINT`, `NOT_WRITABLE`
   */
  static async find(path: string, warn: (text: string) => void): Promise<Resumption> {
    const locked = await LockedFolder.lock(path);
    try {
      const checkpoint = await locked.newestCheckpoint((name, reason) =>
        warn(`checkpoint ${name} is passed over for the one before: ${reason}`),
      );
      return new Resumption(locked, checkpoint, await locked.report());
    } catch (error) {
      await locked.lock.release();
      throw error;
    }
  }

  /**
   * @param spec - of the run as it would go on
   * @throws LockstepError `RESUME_CHANGED`, `RESUME_SHORTER`
   */
  check(spec: RunSpec): void {
    const { step, numericsVersion: was } = this.checkpoint;
    const before = JSON.parse(this.checkpoint.runSpec) as RunSpec;
    if (was !== numericsVersion)
      throw fault('RESUME_CHANGED', { what: 'numerics version', was: String(was), is: String(numericsVersion) });
    const [old, now] = [before, JSON.parse(JSON.stringify(spec)) as RunSpec].map(specThatStays) as [Parts, Parts];
    const what = Object.keys({ ...old, ...now }).find((key) => !isDeepStrictEqual(old[key], now[key]));
    if (what !== undefined) throw fault('RESUME_CHANGED', { what, was: inShort(old[what]), is: inShort(now[what]) });
    const least = Math.max(step, before.lastStep);
    if (spec.lastStep < least) throw fault('RESUME_SHORTER', { lastStep: spec.lastStep, least });
  }

  /** What the user should know before the run goes on: a schedule that ends with the run has another shape from here on. */
  warning(spec: RunSpec): string | undefined {
    const { lastStep, lastEpoch } = JSON.parse(this.checkpoint.runSpec) as RunSpec;
    const { kind } = parseSchedule(spec.learningRateSchedule);
    const isOtherEnd = lastStep !== spec.lastStep || lastEpoch !== spec.lastEpoch;
    if (!isOtherEnd || (kind !== 'cosine' && kind !== 'one-cycle')) return undefined;
    return `--lr-schedule ${kind} ends with the run, which has a later end now: from here on the learning rate is that of the longer run, and the weights will be those of neither`;
  }

  /** The report, if the run is over and `spec` asks for no more steps. */
  finished(spec: RunSpec): RunReport | undefined {
    const { report, checkpoint } = this;
    if (report?.steps !== checkpoint.step || report.outcome === 'interrupted') return undefined;
    const { lastEpoch = 0 } = JSON.parse(checkpoint.runSpec) as RunSpec;
    const isComplete = checkpoint.step >= spec.lastStep || lastEpoch >= (spec.lastEpoch ?? Infinity);
    return report.outcome === 'target-reached' || isComplete ? report : undefined;
  }

  /** Opens the folder to go on, and cuts off what was recorded after the checkpoint. Its `close` releases it. */
  async open(): Promise<{ folder: RunFolder; earlier: Earlier }> {
    const { term } = await readJournal(this.locked.journal());
    const folder = await RunFolder.reopen(this.locked, this.checkpoint.step);
    const record = new RunRecord();
    for await (const line of folder.metricsSoFar()) {
      if ('testLoss' in line) record.evaluation(line);
      else record.step(line);
    }
    return { folder, earlier: { record, term, seconds: this.checkpoint.seconds } };
  }

  /** For a run that does not go on after all. Releasing it again does no harm. */
  async release(): Promise<void> {
    await this.locked.lock.release();
  }
}

/** What may differ between the processes of one run: it changes no bit of a step. */
const mayDiffer: ReadonlySet<string> = new Set([
  'runId',
  'lastStep',
  'init',
  'resume',
  'lastEpoch',
  'checkpointEvery',
  'checkpointDir',
  'maxSkippedSteps',
] satisfies (keyof RunSpec)[]);

type Parts = Readonly<Record<string, unknown>>;

/** Everything else, in parts that can be named. */
function specThatStays({ dataset, module, ...rest }: RunSpec): Parts {
  const { files, ...lengths } = dataset;
  const digests = files.map(({ role, sha256 }) => [`${role} of the data set`, sha256] as const);
  const kept = Object.entries(rest).filter(([key]) => !mayDiffer.has(key));
  const own = module ? { module: module.sha256, ...probesOf(module) } : {};
  return { ...Object.fromEntries<unknown>(digests), ...lengths, ...own, ...Object.fromEntries<unknown>(kept) };
}

/** It may lie elsewhere. */
function probesOf({ sets }: NonNullable<RunSpec['module']>): Parts {
  return sets ? { 'data.train': sets.train.probe, [`data.${sets.test.set}`]: sets.test.probe } : {};
}

function inShort(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
