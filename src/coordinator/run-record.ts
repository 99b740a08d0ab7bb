import type { Report } from '../cluster/session.js';
import type { EvaluationRecord, RunEvent, RunReport, StepRecord } from '../core/events.js';

/** Steps over which the speed that is shown is averaged. */
const speedSteps = 50;

/** What has been reported so far: enough for the report, and for the speed that is shown. */
export class RunRecord {
  private samples = 0;
  private stepSeconds = 0;
  private inputSeconds = 0;
  private readonly recent: { readonly samples: number; readonly seconds: number }[] = [];
  private lastStep: StepRecord | undefined;
  private lastEvaluation: EvaluationRecord | undefined;
  private best: EvaluationRecord | undefined;
  private skipped = 0;

  /** @returns the event, or undefined if the step was told before (a change of membership repeats some) */
  step(record: StepRecord): RunEvent | undefined {
    if (record.step <= this.recordedStep) return undefined;
    const { compute, wait, exchange, update } = record.seconds;
    const seconds = compute + wait + exchange + update;
    this.samples += record.sampleCount;
    this.stepSeconds += seconds;
    this.inputSeconds += record.seconds.input ?? 0;
    this.recent.push({ samples: record.sampleCount, seconds });
    if (this.recent.length > speedSteps) this.recent.shift();
    this.lastStep = record;
    if (record.skipped) this.skipped += 1;
    return { type: 'step', ...record, imagesPerSecond: speedOf(this.recent) };
  }

  /** @returns the event, or undefined if the evaluation was told before (a change of membership repeats it) */
  evaluation(record: EvaluationRecord): RunEvent | undefined {
    if (record.step <= (this.lastEvaluation?.step ?? -1)) return undefined;
    this.lastEvaluation = record;
    if (record.best) this.best = record;
    return { type: 'evaluation', ...record };
  }

  /** The last step that was told. */
  get recordedStep(): number {
    return this.lastStep?.step ?? 0;
  }

  /** Of the last step that was told. */
  get globalBatchSize(): number | undefined {
    return this.lastStep?.globalBatchSize;
  }

  get bestStep(): number | undefined {
    return this.best?.step;
  }

  summary(): Pick<
    RunReport,
    | 'epochs'
    | 'finalLoss'
    | 'testLoss'
    | 'bestTestLoss'
    | 'testAccuracy'
    | 'bestTestAccuracy'
    | 'testMetrics'
    | 'imagesPerSecond'
    | 'inputWaitRatio'
    | 'skippedSteps'
    | 'gradientNoiseScale'
  > {
    const gradientNoiseScale = this.lastStep?.gradientNoiseScale;
    return {
      epochs: this.lastStep ? this.lastStep.epoch + 1 : 0,
      finalLoss: this.lastStep?.loss ?? null,
      testLoss: this.lastEvaluation?.testLoss ?? null,
      bestTestLoss: this.best?.testLoss ?? null,
      testAccuracy: this.lastEvaluation?.testAccuracy ?? null,
      bestTestAccuracy: this.best?.testAccuracy ?? null,
      ...(this.lastEvaluation?.metrics ? { testMetrics: this.lastEvaluation.metrics } : {}),
      imagesPerSecond: speedOf([{ samples: this.samples, seconds: this.stepSeconds }]),
      ...(this.inputSeconds > 0 ? { inputWaitRatio: this.inputSeconds / this.stepSeconds } : {}),
      skippedSteps: this.skipped,
      ...(gradientNoiseScale === undefined ? {} : { gradientNoiseScale }),
    };
  }
}

function speedOf(parts: readonly { readonly samples: number; readonly seconds: number }[]): number {
  const samples = parts.reduce((sum, part) => sum + part.samples, 0);
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  return seconds > 0 ? Math.round(samples / seconds) : 0;
}

/** Each evaluation right after the step that it evaluates. */
export function inOrder({ steps, evaluations }: Report): readonly (StepRecord | EvaluationRecord)[] {
  return [...steps, ...evaluations].sort((a, b) => a.step - b.step); // stable: the step is before its evaluation
}
