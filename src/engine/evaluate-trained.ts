import { createArena } from '../core/arena.js';
import { evaluationCount } from '../core/layout.js';
import { sizeOf } from '../core/shape.js';
import { microBatchCount } from '../data/batch-plan.js';
import type { SampleFormat } from '../data/dataset.js';
import { fault as dataFault } from '../data/faults.js';
import { weightsFrom } from '../store/safetensors.js';
import { chooseEngine, createEngine } from './choose-engine.js';
import { describeModel } from './describe-model.js';
import type { Engine, EngineName } from './engine.js';
import { fault } from './faults.js';
import type { Feed } from './feeds/feed.js';
import { hasAccuracy } from './has-accuracy.js';
import type { MetricOptions } from './metric-options.js';
import { MicroBatchRunner } from './micro-batch-runner.js';
import type { OwnLossOptions } from './own-loss-options.js';
import type { TrainedModel } from './trained-model.js';

/** Samples with labels, and by what answers to them are judged. */
export interface TestSamples {
  /** For faults. */
  readonly name: string;
  readonly length: number;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly labels: SampleFormat;
  /** Of a model whose loss is `own`. */
  readonly ownLoss?: OwnLossOptions | undefined;
  readonly metrics?: MetricOptions | undefined;
  /** @returns how they come into an engine; they are the test set of its jobs */
  readonly feed: (engine: Engine) => Feed;
}

export interface TrainedFigures {
  readonly loss: number;
  /** Null where no answer is correct or wrong. */
  readonly accuracy: number | null;
  /** By name, means over the samples. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly engine: EngineName;
}

/**
 * Loss, accuracy and metrics over a set of samples, as evaluations of a run compute them: with the micro-batches of the run the
 * same bits.
 *
 * @throws LockstepError `LOSS_OF_A_MODULE`, `INPUT_DOES_NOT_FIT`, and as `createEngine` and `weightsFrom` do
 */
export async function evaluateTrained(
  { model, tensors, microBatchSize, path }: TrainedModel,
  { name, length, shape, labels, ownLoss, metrics: wantedMetrics, feed }: TestSamples,
  wanted: EngineName | 'auto',
): Promise<TrainedFigures> {
  if (model.loss === 'own' && !ownLoss) throw fault('LOSS_OF_A_MODULE', { model: model.name });
  const description = await describeModel(model, 'auto', ownLoss);
  const { inputShape: expected } = description;
  if (sizeOf(shape) !== sizeOf(expected)) throw dataFault('INPUT_DOES_NOT_FIT', { path: name, shape, expected });
  const arena = createArena();
  const { engine: chosen } = chooseEngine(wanted, model);
  const engine = await createEngine(chosen, { model, microBatchSize, arena, ownLoss });
  const weights = arena.float32(engine.layout.weightCount);
  weights.set(weightsFrom({ tensors, metadata: {} }, engine.layout, path));
  const metrics = wantedMetrics && (await (await import('./op-by-op/metrics.js')).Metrics.create(model, wantedMetrics));
  const runner = new MicroBatchRunner(engine, arena, { microBatchSize, feed: feed(engine), metrics });
  const range = { first: 0, end: microBatchCount(length, microBatchSize) };
  const job = { purpose: 'evaluation', epoch: 0, firstPosition: 0, sampleCount: length, range, weights } as const;
  const [whole] = await runner.run(job);
  const means = Array.from(whole!.values, (sum) => sum / length);
  const [loss, accuracy] = means as [number, number];
  const named = wantedMetrics?.metrics.map(({ name }, i) => [name, means[evaluationCount + i]!] as const) ?? [];
  return {
    loss,
    accuracy: hasAccuracy(model, description, labels) ? accuracy : null,
    metrics: Object.fromEntries(named),
    engine: chosen,
  };
}
