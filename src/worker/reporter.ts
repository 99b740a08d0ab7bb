import type { Generation, Progress } from '../cluster/messages.js';
import type { Report } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import type { EvaluationRecord, StepRecord } from '../core/events.js';
import { SpeedMeter } from './speed-meter.js';

/** How long finished steps are collected before they are told together. */
const collectMs = 50;
/**
 * Records that every worker keeps, to tell them again when whoever tells is lost, or when the coordinator was away: minutes
 * of a fast run, some 20 MB. Of a longer absence the oldest ones are missing in metrics.jsonl.
 */
const recentMax = 1 << 15;
/** Records that travel in one message, far below the 4 MiB that gRPC takes. */
const messageMax = 4096;

/**
 * Tells the coordinator of progress, several steps in one message. Nobody waits for an answer. Every rank knows the
 * records of all steps; rank 0 tells them, and the others keep the last ones in case that it is lost.
 */
export class Reporter {
  private steps: StepRecord[] = [];
  private evaluations: EvaluationRecord[] = [];
  private readonly recentSteps = new Recent<StepRecord>(recentMax);
  private readonly recentEvaluations = new Recent<EvaluationRecord>(recentMax);
  private cancelTimer: (() => void) | undefined;
  private latest: Progress | undefined;
  private checkpointStep: number | undefined;
  private readonly speed = new SpeedMeter();

  /** @param send - drops what the coordinator cannot hear; it is told again by `tellAgain` */
  constructor(
    private readonly workerId: string,
    private readonly clock: Clock,
    private readonly send: (report: Report) => void,
  ) {}

  /** @param isTeller - whether it is for this worker to tell @param ownSampleCount - that it computed itself */
  step(generation: Generation, record: StepRecord, isTeller: boolean, ownSampleCount = 0): void {
    this.computed(record.seconds.compute, ownSampleCount);
    this.recentSteps.keep(record);
    if (isTeller) this.steps.push(record);
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep: record.step, sealed: generation });
  }

  /** How fast this worker is, also with what came too late for its step. */
  computed(seconds: number, sampleCount: number): void {
    this.speed.measured(seconds, sampleCount);
  }

  evaluation(record: EvaluationRecord, isTeller: boolean): void {
    this.recentEvaluations.keep(record);
    if (isTeller) this.evaluations.push(record);
  }

  /** A copy of the state after `step` waits here to be stored. */
  checkpoint(generation: Generation, step: number): void {
    this.checkpointStep = step;
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep: step, sealed: generation });
  }

  /** The last step is finished: told at once, with everything before it. */
  ended(generation: Generation, finishedStep: number, ended: NonNullable<Progress['ended']>): void {
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep, sealed: generation, ended });
    this.flush();
  }

  /** Tells everything that came after `recordedStep`, told before or not. @param checkpointStep - of a copy that waits */
  tellAgain(progress: Progress, recordedStep: number, checkpointStep?: number): void {
    this.steps = this.recentSteps.all().filter(({ step }) => step > recordedStep);
    this.evaluations = this.recentEvaluations.all().filter(({ step }) => step >= recordedStep);
    if (checkpointStep !== undefined) this.checkpointStep = checkpointStep;
    this.note(progress);
    this.flush();
  }

  /** Tells what is known now. */
  flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    const { latest, checkpointStep } = this;
    if (!latest) return;
    while (this.steps.length > messageMax) {
      const steps = this.steps.splice(0, messageMax);
      const last = steps.at(-1)!.step;
      const evaluations = this.evaluations.filter(({ step }) => step <= last); // each after the step that it evaluates
      this.evaluations = this.evaluations.filter(({ step }) => step > last);
      const { ended: _untilTheLast, ...progress } = latest;
      this.send({ ...progress, steps, evaluations });
    }
    const checkpoint = checkpointStep === undefined ? {} : { checkpointStep };
    const { secondsPerSample } = this.speed;
    const speed = secondsPerSample === undefined ? {} : { secondsPerSample };
    this.send({ ...latest, steps: this.steps, evaluations: this.evaluations, ...checkpoint, ...speed });
    this.latest = this.checkpointStep = undefined;
    this.steps = [];
    this.evaluations = [];
  }

  private note(progress: Progress): void {
    this.latest = progress;
    this.cancelTimer ??= this.clock.setTimer(collectMs, () => {
      this.cancelTimer = undefined;
      this.flush();
    });
  }
}

/** The last `limit` of what was kept, oldest first. */
class Recent<Kept> {
  private kept: Kept[] = [];

  constructor(private readonly limit: number) {}

  /** Cuts off the oldest half of what is too much at once: taking one from the front would move all others each time. */
  keep(record: Kept): void {
    this.kept.push(record);
    if (this.kept.length >= this.limit * 2) this.kept = this.kept.slice(-this.limit);
  }

  all(): readonly Kept[] {
    return this.kept.slice(-this.limit);
  }
}
