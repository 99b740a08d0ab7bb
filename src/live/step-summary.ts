import type { Clock } from '../core/clock.js';
import type { RunEvent } from '../core/events.js';
import type { EventBody } from './public-events.js';
import { plus } from './step-history.js';

type Step = Extract<RunEvent, { type: 'step' }>;

/** Steps come hundreds a second; whoever follows a run wants to hear of them now and then. */
const everyMs = 2_000;

/** Tells of steps together: the first one at once, so that life is seen, then about every two seconds. */
export class StepSummary {
  private firstStep: number | undefined;
  private last: Step | undefined;
  private finiteSteps = 0;
  private lossSum = 0;
  private accuracySum: number | null = 0;
  private toldAtMs = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly tell: (body: EventBody) => void,
  ) {}

  add(step: Step): void {
    this.firstStep ??= step.step;
    this.last = step;
    if (!step.skipped && Number.isFinite(step.loss)) {
      this.finiteSteps += 1;
      this.lossSum += step.loss;
      this.accuracySum = plus(this.accuracySum, step.accuracy);
    }
    if (this.clock.nowMs() - this.toldAtMs >= everyMs) this.flush();
  }

  /** Tells what was not told yet. */
  flush(): void {
    const { firstStep, last, finiteSteps } = this;
    if (firstStep === undefined || !last) return;
    const mean = (sum: number | null) => (sum !== null && finiteSteps > 0 ? sum / finiteSteps : null);
    this.tell({
      type: 'steps',
      firstStep,
      lastStep: last.step,
      epoch: last.epoch,
      loss: mean(this.lossSum),
      accuracy: mean(this.accuracySum),
      learningRate: last.learningRate,
      globalBatchSize: last.globalBatchSize,
      worldSize: last.worldSize,
      imagesPerSecond: last.imagesPerSecond,
    });
    this.firstStep = this.last = undefined;
    this.finiteSteps = this.lossSum = this.accuracySum = 0;
    this.toldAtMs = this.clock.nowMs();
  }
}
