import { createArena } from '../core/arena.js';
import { microBatchCount } from '../data/batch-plan.js';
import { fault as dataFault } from '../data/faults.js';
import type { ResidentDataset } from '../data/resident-dataset.js';
import { weightsFrom } from '../store/safetensors.js';
import { chooseEngine, createEngine } from './choose-engine.js';
import { describeModel } from './describe-model.js';
import type { EngineName } from './engine.js';
import { fault } from './faults.js';
import { ResidentFeed } from './feeds/resident-feed.js';
import { classNumbers, hasAccuracy } from './has-accuracy.js';
import { MicroBatchRunner } from './micro-batch-runner.js';
import type { TrainedModel } from './trained-model.js';
import { sizeOf } from '../core/shape.js';

export interface TrainedFigures {
  readonly loss: number;
  /** Null where no answer is correct or wrong. */
  readonly accuracy: number | null;
  readonly engine: EngineName;
}

/**
 * Loss and accuracy over a data set, as evaluations of a run compute them: with the micro-batches of the run the same bits.
 *
 * @param name - of the data set, for faults
 * @throws LockstepError `LOSS_OF_A_MODULE`, `INPUT_DOES_NOT_FIT`, and as `createEngine` and `weightsFrom` do
 */
export async function evaluateTrained(
  { model, tensors, microBatchSize, path }: TrainedModel,
  name: string,
  dataset: ResidentDataset,
  wanted: EngineName | 'auto',
): Promise<TrainedFigures> {
  if (model.loss === 'own') throw fault('LOSS_OF_A_MODULE', { model: model.name });
  const description = await describeModel(model);
  const { inputShape: expected } = description;
  const shape = dataset.sampleShape;
  if (sizeOf(shape) !== sizeOf(expected)) throw dataFault('INPUT_DOES_NOT_FIT', { path: name, shape, expected });
  const arena = createArena();
  const { engine: chosen } = chooseEngine(wanted, model);
  const engine = await createEngine(chosen, { model, microBatchSize, arena });
  const weights = arena.float32(engine.layout.weightCount);
  weights.set(weightsFrom({ tensors, metadata: {} }, engine.layout, path));
  const order = { seed: 0, shuffle: 'none' } as const;
  const feed = new ResidentFeed(engine, { microBatchSize, order, train: dataset, test: dataset });
  const runner = new MicroBatchRunner(engine, arena, { microBatchSize, feed });
  const sampleCount = dataset.length;
  const range = { first: 0, end: microBatchCount(sampleCount, microBatchSize) };
  const job = { purpose: 'evaluation', epoch: 0, firstPosition: 0, sampleCount, range, weights } as const;
  const [whole] = await runner.run(job);
  const [loss, correct] = whole!.values;
  const isJudged = hasAccuracy(model, description, classNumbers);
  return { loss: loss! / sampleCount, accuracy: isJudged ? correct! / sampleCount : null, engine: chosen };
}
