/** When a trial is given up. It looks at results alone, so that it is the same decision on any machine. */
export interface PatienceRule {
  /** Samples that a trial may see while it is no better than guessing; 0 gives up nothing. */
  readonly samples: number;
  /** Accuracy that guessing reaches. */
  readonly chance: number;
}

/** How much better than guessing is no guessing: a constant answer is right a little more often than one in ten. */
const margin = 1.5;
/** Samples whose answers are looked at together. */
const windowSamples = 5_000;
/** However large the batch, so many updates are everybody's. */
const stepsMin = 200;

/** Watches a trial's answers on what it is trained on, which cost nothing. */
export class Patience {
  private steps = 0;
  private samples = 0;
  private inWindow = { samples: 0, correct: 0 };
  private lastWindow: number | undefined;

  constructor(private readonly rule: PatienceRule) {}

  /** @param accuracy - share of the step's samples that were answered correctly; NaN counts as none */
  add(sampleCount: number, accuracy: number): void {
    this.steps += 1;
    this.samples += sampleCount;
    this.inWindow.samples += sampleCount;
    this.inWindow.correct += sampleCount * (Number.isFinite(accuracy) ? accuracy : 0);
    if (this.inWindow.samples < windowSamples) return;
    this.lastWindow = this.inWindow.correct / this.inWindow.samples;
    this.inWindow = { samples: 0, correct: 0 };
  }

  /** Whether after all that time it still says no more than a constant answer would. */
  get isOver(): boolean {
    const { samples, chance } = this.rule;
    if (samples === 0 || this.samples < samples || this.steps < stepsMin) return false;
    return this.lastWindow !== undefined && this.lastWindow < chance * margin;
  }
}
