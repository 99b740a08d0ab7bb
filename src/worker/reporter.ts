import type { Generation, Progress } from '../cluster/messages.js';
import type { Report } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import type { EvaluationRecord, StepRecord } from '../core/events.js';

/** How long finished steps are collected before they are told together. */
const collectMs = 50;

/** Tells the coordinator of progress, several steps in one message. Nobody waits for an answer. */
export class Reporter {
  private steps: StepRecord[] = [];
  private evaluations: EvaluationRecord[] = [];
  private cancelTimer: (() => void) | undefined;
  private latest: Progress | undefined;

  constructor(
    private readonly workerId: string,
    private readonly clock: Clock,
    private readonly send: (report: Report) => void,
  ) {}

  /** @param record - on rank 0: what every rank knows, told once */
  step(generation: Generation, finishedStep: number, record: StepRecord | undefined): void {
    if (record) this.steps.push(record);
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep, sealed: generation });
  }

  evaluation(record: EvaluationRecord | undefined): void {
    if (record) this.evaluations.push(record);
  }

  /** The last step is finished: told at once, with everything before it. */
  ended(generation: Generation, finishedStep: number, ended: NonNullable<Progress['ended']>): void {
    this.note({ kind: 'progress', workerId: this.workerId, generation, finishedStep, sealed: generation, ended });
    this.flush();
  }

  /** Tells what is known now. */
  flush(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (!this.latest) return;
    this.send({ ...this.latest, steps: this.steps, evaluations: this.evaluations });
    this.latest = undefined;
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
