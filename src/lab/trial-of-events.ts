import type { PublicEvent } from '../live/public-events.js';
import { Patience } from './hopeless.js';
import type { TrialEnd, TrialEvaluation } from './trial-record.js';
import type { TrialOutcome, TrialRules } from './trial.js';

/** What a trial is before anything of it has run. */
export type TrialFacts = Pick<
  TrialOutcome,
  'workers' | 'globalBatchSize' | 'microBatchSize' | 'learningRate' | 'trainLength' | 'parameterCount'
> & {
  /** Whether evaluations look at held-out samples: then nobody looks at the test set. */
  readonly hasHeldOut: boolean;
};

/**
 * A trial that runs elsewhere, as the public events of its run tell of it. They sum steps up, so that samples are counted as if
 * all batches were full, and times follow from the speed of the newest steps.
 */
export class TrialOfEvents {
  private readonly evaluations: TrialEvaluation[] = [];
  private readonly patience: Patience;
  private sequence = 0;
  private engine = '';
  private steps = 0;
  private samples = 0;
  private seconds = 0;
  private batch: number;
  private cut: TrialEnd | undefined;
  private end: TrialEnd = 'finished';
  private weightsDigest = '';

  constructor(
    private readonly facts: TrialFacts,
    private readonly rules: TrialRules,
    private readonly onEvaluation: (evaluation: TrialEvaluation) => void = () => undefined,
  ) {
    this.patience = new Patience(rules.patience);
    this.batch = facts.globalBatchSize;
  }

  /** Why the run should end now, if it should. */
  get isToEnd(): TrialEnd | undefined {
    return this.cut;
  }

  /** An event that was added before adds nothing. */
  add(event: PublicEvent): void {
    if (event.sequence <= this.sequence) return;
    this.sequence = event.sequence;
    if (event.type === 'started') this.engine = event.engine;
    else if (event.type === 'steps') this.addSteps(event);
    else if (event.type === 'evaluation') this.addEvaluation(event);
    else if (event.type === 'failed' && event.code === 'NOT_FINITE') this.end = 'diverged';
    else if (event.type === 'finished') {
      this.end = event.outcome === 'target-reached' ? 'target' : 'finished';
      this.weightsDigest = event.weightsDigest;
      this.steps = event.steps;
    }
  }

  /** @param cut - why it was ended from outside, if it was */
  outcome(cut: TrialEnd | undefined): TrialOutcome {
    const { hasHeldOut: _hasHeldOut, ...facts } = this.facts;
    const { secondsMax } = this.rules;
    return {
      ...facts,
      end: cut ?? this.end,
      ...(secondsMax === undefined ? {} : { secondsMax }),
      engine: this.engine,
      steps: this.steps,
      samples: this.samples,
      seconds: this.seconds,
      weightsDigest: this.weightsDigest,
      evaluations: this.evaluations,
    };
  }

  private addSteps(event: Extract<PublicEvent, { type: 'steps' }>): void {
    const count = event.lastStep - event.firstStep + 1;
    this.batch = event.globalBatchSize;
    this.steps = event.lastStep;
    this.samples += count * this.batch;
    this.seconds += (count * this.batch) / Math.max(1, event.imagesPerSecond);
    for (let i = 0; i < count; i++) this.patience.add(this.batch, event.accuracy ?? NaN);
    if (this.patience.isOver) this.cut ??= 'hopeless';
    else if (this.seconds > (this.rules.secondsMax ?? Infinity)) this.cut ??= 'time';
  }

  private addEvaluation(event: Extract<PublicEvent, { type: 'evaluation' }>): void {
    const { step, testLoss } = event;
    const testAccuracy = event.testAccuracy!; //                       demandAccuracy has refused runs that have none
    const evaluation: TrialEvaluation = {
      step,
      epochs: this.samples / this.facts.trainLength,
      seconds: this.seconds,
      loss: testLoss,
      accuracy: testAccuracy,
      ...(this.facts.hasHeldOut ? {} : { testAccuracy }),
      batch: this.batch,
    };
    this.evaluations.push(evaluation);
    this.onEvaluation(evaluation);
  }
}
