import type { Clock } from '../core/clock.js';
import type { EvaluationRecord, RunEvent, RunReport, StepRecord, StepTiming } from '../core/events.js';
import { nameOfWorker } from '../core/worker-id.js';
import { EventLog } from './event-log.js';
import { Lanes, type PlacedStep } from './lanes.js';
import type { PublicEvent } from './public-events.js';
import { pictureVersion, type Picture, type RunFacts, type RunState, type StepNow } from './picture.js';
import { StepHistory } from './step-history.js';
import { StepSummary } from './step-summary.js';
import { Told } from './told.js';

/** Lines of the log in the picture. */
const logMax = 100;
/** Evaluations in the picture: when there are more, every other one goes, but neither the best nor the last. */
const evaluationsMax = 512;

export interface RecorderNeeds {
  readonly runId: string;
  /** As in spec.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** Since 1970. */
  readonly wallTimeMs: () => number;
}

/** What somebody who looks on already has of the curves. */
export interface Known {
  readonly stride: number;
  readonly count: number;
}

/** Turns what happens in a run into a picture of it and a log of events. Memory is bounded, however long the run. */
export class Recorder {
  readonly events: EventLog;
  private readonly history = new StepHistory();
  private readonly lanes = new Lanes();
  private readonly summary: StepSummary;
  private readonly told = new Told();
  private state: RunState = 'waiting';
  private reason = '';
  private facts: RunFacts | null = null;
  private now: StepNow | null = null;
  private evaluations: EvaluationRecord[] = [];
  private skippedSteps = 0;
  private report: RunReport | null = null;
  /** Rises with every change, so that nobody sends what is known. */
  revision = 0;

  constructor(private readonly needs: RecorderNeeds) {
    this.events = new EventLog(needs.runId, needs.wallTimeMs);
    this.summary = new StepSummary(needs.clock, (body) => this.events.add(body));
  }

  /** An event that an earlier process of this run told. Those that are known already make no difference. */
  rememberEvent(event: PublicEvent): void {
    if (event.sequence <= this.events.lastSequence) return;
    this.events.remember(event);
    this.told.add(event);
  }

  /** What an earlier process of this run recorded. If that one told events, too, what it had not told yet makes some. */
  remember(record: StepRecord | EvaluationRecord): void {
    if ('testLoss' in record) {
      this.keepEvaluation(record);
      if (this.told.isContinuing) this.tellEvaluation(record);
    } else {
      this.history.add(record);
      const { compute, wait, exchange, update } = record.seconds;
      const imagesPerSecond = record.sampleCount / (compute + wait + exchange + update);
      if (this.told.isContinuing) this.tellStep({ type: 'step', ...record, imagesPerSecond });
    }
  }

  observe(event: RunEvent): void {
    this.revision += 1;
    switch (event.type) {
      case 'waiting':
        this.reason = `${event.joined} of ${event.worldSize} workers are here`;
        if (this.facts) this.state = 'waiting';
        this.events.add({ type: 'waiting', joined: event.joined, needed: event.worldSize });
        return;
      case 'started': {
        const { type: _type, runId: _runId, worldSize, ...facts } = event;
        const { model, engine, globalBatchSize, stepsTotal } = facts;
        this.facts = facts;
        this.goOn();
        if (!this.told.hasStarted)
          this.events.add({ type: 'started', model, engine, worldSize, globalBatchSize, stepsTotal });
        return;
      }
      case 'step':
        return this.step(event);
      case 'evaluation':
        this.keepEvaluation(event);
        this.tellEvaluation(event);
        return;
      case 'membership':
        return this.goOn();
      case 'checkpoint':
        this.events.add(event);
        return;
      case 'checkpoint-failed':
        this.events.add({ type: 'alert', name: 'checkpoint-failed', step: event.step, text: event.reason });
        return;
      case 'restored':
        this.goOn();
        this.events.add(event);
        return;
      case 'resumed':
        this.told.resumed(event.step);
        this.events.add({ type: 'resumed', step: event.step });
        return;
      case 'stopping':
        this.state = 'stopping';
        this.events.add({ type: 'stopping', reason: event.reason });
        return;
      case 'result': {
        if (this.report) return; //                                 it was frozen before it was shown
        const { type: _type, ...report } = event;
        const { outcome, steps, testAccuracy, weightsDigest } = report;
        this.report = report;
        this.state = 'finished';
        this.lanes.ended(steps);
        this.summary.flush();
        this.events.add({ type: 'finished', outcome, steps, testAccuracy, weightsDigest });
        return;
      }
      case 'error':
        this.state = 'failed';
        this.reason = event.message;
        this.summary.flush();
        this.events.add({ type: 'failed', code: event.code, message: event.message, remedy: event.remedy });
        return;
      default: //                                                     nothing that a picture shows
    }
  }

  /** @param isMember - it is in the generation that runs, and opens another stream */
  arrived(workerId: string, host: string, isMember = false): void {
    if (this.isOver) return;
    this.revision += 1;
    const worker = nameOfWorker(workerId);
    const news = this.told.arrival(worker, isMember);
    if (news === 'replaced') this.tellLeft(worker, 'connection', 'another process has its name now');
    if (news !== 'nothing') this.events.add({ type: 'joined', worker, host });
  }

  departed(workerId: string, cause: string, reason: string): void {
    if (this.isOver) return; //                                      they go home
    this.revision += 1;
    this.lanes.departed(workerId);
    this.tellLeft(nameOfWorker(workerId), cause, reason);
  }

  private tellLeft(worker: string, cause: string, reason: string): void {
    this.events.add({ type: 'left', worker, cause, reason });
    if (cause !== 'leave' && this.facts && this.state === 'training')
      this.events.add({
        type: 'alert',
        name: 'worker-lost',
        step: this.now?.step ?? 0,
        text: `${worker} is gone: ${reason}`,
      });
  }

  /** @param workerIds - by rank */
  began(generation: number, workerIds: readonly string[], afterStep: number): void {
    this.revision += 1;
    this.lanes.began(workerIds, afterStep);
    if (generation <= this.told.generation) return; //                the one that was there before takes over goes on
    const members = workerIds.map(nameOfWorker);
    for (const worker of this.told.missingFrom(members))
      this.tellLeft(worker, 'silence', 'it did not come back to the coordinator that took over');
    this.events.add({ type: 'generation', generation, step: afterStep, members });
  }

  /** @returns the steps on the coordinator's clock */
  heard(
    workerId: string,
    sentAtMs: number,
    receivedAtMs: number,
    timings: readonly StepTiming[],
  ): readonly PlacedStep[] {
    if (timings.length > 0) this.revision += 1;
    return this.lanes.heard(workerId, sentAtMs, receivedAtMs, timings);
  }

  picture(known: Known = { stride: 0, count: 0 }): Picture {
    return {
      version: pictureVersion,
      state: this.state,
      reason: this.reason,
      runId: this.needs.runId,
      facts: this.facts,
      config: this.needs.config,
      now: this.now,
      curves: this.history.curvesSince(known),
      evaluations: this.evaluations,
      lanes: this.lanes.picture(),
      log: this.events.newest(logMax),
      skippedSteps: this.skippedSteps,
      report: this.report,
    };
  }

  private get isOver(): boolean {
    return this.state === 'finished' || this.state === 'failed';
  }

  private goOn(): void {
    if (this.state === 'waiting') this.state = 'training';
    this.reason = '';
  }

  private step(event: Extract<RunEvent, { type: 'step' }>): void {
    this.history.add(event);
    this.tellStep(event);
    this.now = {
      step: event.step,
      epoch: event.epoch,
      loss: finite(event.loss),
      accuracy: event.accuracy === null ? null : finite(event.accuracy),
      learningRate: event.learningRate,
      gradientNorm: finite(event.gradientNorm),
      globalBatchSize: event.globalBatchSize,
      worldSize: event.worldSize,
      generation: event.generation,
      imagesPerSecond: event.imagesPerSecond,
    };
    if (event.skipped) this.skippedSteps += 1;
  }

  private tellStep(event: Extract<RunEvent, { type: 'step' }>): void {
    if (event.step > this.told.step) this.summary.add(event);
    if (!event.skipped || event.step <= this.told.skippedStep) return;
    const text = `the gradient of step ${event.step} is not finite, so the weights stay as they were`;
    this.events.add({ type: 'alert', name: 'step-skipped', step: event.step, text });
  }

  private tellEvaluation(record: EvaluationRecord): void {
    if (record.step <= this.told.evaluationStep) return;
    this.summary.flush();
    this.events.add({ type: 'evaluation', ...evaluationIn(record) });
  }

  private keepEvaluation(record: EvaluationRecord): void {
    this.evaluations.push(evaluationIn(record));
    if (this.evaluations.length <= evaluationsMax) return;
    const newestBest = this.evaluations.findLastIndex((evaluation) => evaluation.best);
    this.evaluations = this.evaluations.filter((_, i) => i % 2 === 1 || i === newestBest);
  }
}

/** Without what an event has besides. */
function evaluationIn({ step, epoch, testLoss, testAccuracy, best, metrics }: EvaluationRecord): EvaluationRecord {
  return { step, epoch, testLoss, testAccuracy, best, ...(metrics ? { metrics } : {}) };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
