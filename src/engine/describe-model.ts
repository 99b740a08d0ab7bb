import { createArena } from '../core/arena.js';
import { LockstepError } from '../core/errors.js';
import type { ParameterLayout } from '../core/layout.js';
import type { EngineName } from './engine.js';
import { fault } from './faults.js';
import type { ModelSpec } from './model-spec.js';
import type { OwnLossOptions } from './own-loss-options.js';
import { layoutOfTopology, readTopology } from './topology.js';
import { sizeOf } from '../core/shape.js';

/** What has to be known of a model before anything is started. */
export interface ModelDescription {
  readonly layout: ParameterLayout;
  /** Of one sample. */
  readonly inputShape: readonly number[];
  /** Elements of the output. */
  readonly outputs: number;
  /** Of one sample. */
  readonly outputShape: readonly number[];
  /** The layer that no plan covers, and why: our own kernels are not to be had, and it runs op by op. */
  readonly gap?: string;
}

/**
 * Where a plan covers the model that is a matter of reading its JSON. Otherwise TensorFlow.js is loaded, and one sample goes
 * forward and backward, so that what cannot be trained is found here and not by all workers in their first step.
 *
 * @param engine - that was asked for: `native` runs plans and nothing else
 * @param ownLoss - of a model whose loss is `own`
 * @throws LockstepError `LAYER_UNSUPPORTED`, `MODEL_UNSUPPORTED`, `LAYER_UNTRAINABLE`, `LAYER_CLASS_UNKNOWN`
 */
export async function describeModel(
  model: ModelSpec,
  engine: EngineName | 'auto' = 'auto',
  ownLoss?: OwnLossOptions,
): Promise<ModelDescription> {
  try {
    const topology = readTopology(model);
    const { inputShape, outputs, outputShape } = topology;
    return { layout: layoutOfTopology(topology), inputShape, outputs, outputShape };
  } catch (error) {
    if (!(error instanceof LockstepError) || error.code !== 'LAYER_UNSUPPORTED' || engine === 'native') throw error;
    return { ...(await tryOpByOp(model, ownLoss)), gap: error.message };
  }
}

async function tryOpByOp(model: ModelSpec, ownLoss: OwnLossOptions | undefined): Promise<ModelDescription> {
  const { OpByOpEngine } = await import('./op-by-op/op-by-op-engine.js');
  const engine = await OpByOpEngine.create('wasm', { model, microBatchSize: 1, arena: createArena(), ownLoss });
  const { layout, inputShape, outputShape } = engine;
  if (outputShape.length !== 1 && (model.loss ?? 'softmaxCrossEntropy') === 'softmaxCrossEntropy') {
    const reason = `its output has the shape [${outputShape.join(', ')}]`;
    throw fault('MODEL_UNSUPPORTED', { model: model.name, reason });
  }
  await engine.setWeights(new Float32Array(layout.weightCount).fill(0.1)); // any will do: whether there are gradients is no matter of values
  await engine.gradientSum(1, new Float32Array(layout.parameterCount + layout.extraCount));
  engine.dispose();
  return { layout, inputShape, outputs: sizeOf(outputShape), outputShape };
}
