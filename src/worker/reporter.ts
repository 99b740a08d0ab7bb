import type { Generation, Progress } from '../cluster/messages.js';
import type { Report } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import type { EvaluationRecord, StepRecord } from '../core/events.js';
import { SpeedMeter } from './speed-meter.js';
import type { FinishedStep } from './train-step.js';

/** How long finished steps are collected before they are told together. */
const collectMs = 100;
/**
 * Records that every worker keeps, to tell them again when whoever tells is lost, or when the coordinator was away: minutes
 * of a fast run, some 20 MB. Of a longer absence the oldest ones are missing in metrics.jsonl.
 */
const recentMax = 1 << 15;
/** Records that travel in one message, far below the 4 MiB that gRPC takes. */
const messageMax = 4096;

export interface ReporterNeeds {
  readonly workerId: string;
  readonly clock: Clock;
  /** Drops what the coordinator cannot hear; it is told again by `tellAgain`. */
  send(report: Report): void;
  /** What else there is to do about finished steps, in order: metrics, for one. */
  watch(steps: readonly FinishedStep[]): void;
}

/** A finished step about which nothing was done yet. */
interface Unsettled {
  readonly generation: Generation;
  readonly step: FinishedStep;
  readonly isTeller: boolean;
}

/**
 * Tells the coordinator of progress, several steps in one message. Nobody waits for an answer. Every rank knows the
 * records of all steps; rank 0 tells them, and the others keep the last ones in case that it is lost. Between two steps
 * peers wait for us, so whatever has to be done about a finished one is done later, for several together.
 */
export class Reporter {
  private unsettled: Unsettled[] = [];
  private steps: StepRecord[] = [];
  private evaluations: EvaluationRecord[] = [];
  private readonly recentSteps = new Recent<StepRecord>(recentMax);
  private readonly recentEvaluations = new Recent<EvaluationRecord>(recentMax);
  private cancelTimer: (() => void) | undefined;
  private latest: Progress | undefined;
  private checkpointStep: number | undefined;
  private readonly speed = new SpeedMeter();

  constructor(private readonly needs: ReporterNeeds) {}

  /** @param isTeller - whether it is for this worker to tell */
  finished(generation: Generation, step: FinishedStep, isTeller: boolean): void {
    this.unsettled.push({ generation, step, isTeller });
    this.startTimer();
  }

  /** Does what was put off. To be called before anything changes that it looks at. */
  settle(): void {
    const { unsettled } = this;
    const last = unsettled.at(-1);
    if (!last) return;
    this.unsettled = [];
    for (const { step, isTeller } of unsettled) {
      this.computed(step.record.seconds.compute, step.ownSampleCount);
      this.recentSteps.keep(step.record);
      if (isTeller) this.steps.push(step.record);
    }
    this.latest = this.progress(last.generation, last.step.record.step);
    this.needs.watch(unsettled.map(({ step }) => step));
  }

  /** How fast this worker is, also with what came too late for its step. */
  computed(seconds: number, sampleCount: number): void {
    this.speed.measured(seconds, sampleCount);
  }

  evaluation(record: EvaluationRecord, isTeller: boolean): void {
    this.recentEvaluations.keep(record);
    if (isTeller) this.evaluations.push(record);
  }

  /** A copy of the state after `step` waits here to be stored: told at once, since the next one takes its place. */
  checkpoint(generation: Generation, step: number): void {
    this.settle();
    this.checkpointStep = step;
    this.latest = this.progress(generation, step);
    this.flush();
  }

  /** The last step is finished: told at once, with everything before it. */
  ended(generation: Generation, finishedStep: number, ended: NonNullable<Progress['ended']>): void {
    this.settle();
    this.latest = { ...this.progress(generation, finishedStep), ended };
    this.flush();
  }

  /** Tells everything that came after `recordedStep`, told before or not. @param checkpointStep - of a copy that waits */
  tellAgain(progress: Progress, recordedStep: number, checkpointStep?: number): void {
    this.settle();
    this.steps = this.recentSteps.all().filter(({ step }) => step > recordedStep);
    this.evaluations = this.recentEvaluations.all().filter(({ step }) => step >= recordedStep);
    if (checkpointStep !== undefined) this.checkpointStep = checkpointStep;
    this.latest = progress;
    this.flush();
  }

  /** Tells what is known now. */
  flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.settle();
    const { latest, checkpointStep } = this;
    if (!latest) return;
    while (this.steps.length > messageMax) {
      const steps = this.steps.splice(0, messageMax);
      const last = steps.at(-1)!.step;
      const evaluations = this.evaluations.filter(({ step }) => step <= last); // each after the step that it evaluates
      this.evaluations = this.evaluations.filter(({ step }) => step > last);
      const { ended: _untilTheLast, ...progress } = latest;
      this.needs.send({ ...progress, steps, evaluations });
    }
    const checkpoint = checkpointStep === undefined ? {} : { checkpointStep };
    const { secondsPerSample } = this.speed;
    const speed = secondsPerSample === undefined ? {} : { secondsPerSample };
    this.needs.send({ ...latest, steps: this.steps, evaluations: this.evaluations, ...checkpoint, ...speed });
    this.latest = this.checkpointStep = undefined;
    this.steps = [];
    this.evaluations = [];
  }

  private progress(generation: Generation, finishedStep: number): Progress {
    return { kind: 'progress', workerId: this.needs.workerId, generation, finishedStep, sealed: generation };
  }

  private startTimer(): void {
    this.cancelTimer ??= this.needs.clock.setTimer(collectMs, () => {
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
