import type { Generation, Progress } from '../cluster/messages.js';
import type { Report } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import type { EvaluationRecord, StepRecord } from '../core/events.js';
import { SpeedMeter } from './speed-meter.js';

/** How long finished steps are collected before they are told together. */
const collectMs = 50;
/** Records that every worker keeps, to tell them again if whoever tells is lost: far more than come while it is noticed. */
const recentMax = 4096;

/**
 * Tells the coordinator of progress, several steps in one message. Nobody waits for an answer. Every rank knows the
 * records of all steps; rank 0 tells them, and the others keep the last ones in case that it is lost.
 */
export class Reporter {
  private steps: StepRecord[] = [];
  private evaluations: EvaluationRecord[] = [];
  private readonly recentSteps: StepRecord[] = [];
  private readonly recentEvaluations: EvaluationRecord[] = [];
  private cancelTimer: (() => void) | undefined;
  private latest: Progress | undefined;
  private checkpointStep: number | undefined;
  private readonly speed = new SpeedMeter();

  constructor(
    private readonly workerId: string,
    private readonly clock: Clock,
    private readonly send: (report: Report) => void,
  ) {}

  /** @param isTeller - whether it is for this worker to tell @param ownSampleCount - that it computed itself */
  step(generation: Generation, record: StepRecord, isTeller: boolean, ownSampleCount: number): void {
    this.speed.measured(record.seconds.compute, ownSampleCount);
    keep(this.recentSteps, record);
    if (isTeller) this.steps.push(record);
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep: record.step, sealed: generation });
  }

  evaluation(record: EvaluationRecord, isTeller: boolean): void {
    keep(this.recentEvaluations, record);
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

  /** Tells everything that came after `recordedStep`, told before or not. */
  tellAgain(generation: Generation, finishedStep: number, recordedStep: number): void {
    this.steps = this.recentSteps.filter(({ step }) => step > recordedStep);
    this.evaluations = this.recentEvaluations.filter(({ step }) => step >= recordedStep);
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep, sealed: generation });
    this.flush();
  }

  /** Tells what is known now. */
  flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (!this.latest) return;
    const checkpoint = this.checkpointStep === undefined ? {} : { checkpointStep: this.checkpointStep };
    const { secondsPerSample } = this.speed;
    const speed = secondsPerSample === undefined ? {} : { secondsPerSample };
    this.send({ ...this.latest, steps: this.steps, evaluations: this.evaluations, ...checkpoint, ...speed });
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

function keep<Kept>(recent: Kept[], record: Kept): void {
  recent.push(record);
  if (recent.length > recentMax) recent.shift();
}
