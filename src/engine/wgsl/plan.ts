/** A model and a micro-batch size compiled to kernels of a GPU, over arrays that stay on it. */
import { evaluationCount, type ParameterLayout } from '../../core/layout.js';
import { fault } from '../faults.js';
import { compileStages, type Stage } from '../plan/stages.js';
import { layoutOfTopology, type Topology } from '../topology.js';
import { Compilation, type Tuning, type Values } from './compilation.js';
import { compileConvolution } from './convolution.js';
import { compileDense } from './dense.js';
import { gapInGpuPlans } from './coverage.js';
import type { GpuDevice } from './device.js';
import { compileActivation, compileDropout, compileMerge, compileShared } from './elements.js';
import { compileLoss } from './loss.js';
import { compileConcatenation, compileFrame, compilePermutation } from './moves.js';
import { compileBatchNormalisation } from './normalisation.js';
import { compileAveragePooling, compileMaxPooling } from './pooling.js';
import type { GpuArray, Kernel } from './program.js';
import { compileLayerNormalisation, compileSoftmax } from './rows.js';
import { reductions } from './reduction.js';
import { sizeOf } from '../../core/shape.js';

export interface GpuPlan {
  readonly layout: ParameterLayout;
  /** f32[capacity * sampleSize] */
  readonly x: GpuArray;
  /** Classes, or what the outputs are compared with. */
  readonly labels: GpuArray;
  readonly takesClasses: boolean;
  readonly weights: GpuArray;
  /** uint32[4]: samples, micro-batch, position and epoch of the first sample. */
  readonly batch: GPUBuffer;
  /** f32[micro-batches * (parameterCount + extraCount)] */
  readonly sums: GpuArray;
  /** f32[micro-batches * evaluationCount] */
  readonly evaluated: GpuArray;
  readonly gradient: readonly Kernel[];
  readonly evaluation: readonly Kernel[];
}

export interface GpuPlanOptions {
  readonly gpu: GpuDevice;
  readonly topology: Topology;
  readonly microBatchSize: number;
  /** Samples that are computed at once, at most. */
  readonly capacity: number;
  readonly seed: number;
  readonly tuning?: Tuning;
}

/** @throws LockstepError `LAYER_UNSUPPORTED` for what runs op by op */
export async function compileGpuPlan({ topology, ...options }: GpuPlanOptions): Promise<GpuPlan> {
  const gap = gapInGpuPlans(topology);
  if (gap) throw fault('LAYER_UNSUPPORTED', { className: 'GPU', ...gap });
  const layout = layoutOfTopology(topology);
  const { parameterCount, extraCount } = layout;
  const c = new Compilation({ ...options, layout });
  const sampleSize = sizeOf(topology.inputShape);
  const x = c.sampleArray(sampleSize, 'f32', 'samples');
  const perSample = topology.loss === 'softmaxCrossEntropy' ? 1 : topology.outputs;
  const labels = c.sampleArray(perSample, 'u32', 'labels');
  const output = compileStages<Values>(
    topology,
    { out: x, size: sampleSize, activation: 'linear' },
    (stage, inputs) => compileStage(c, stage, inputs),
    ({ name }, values, uses) => compileShared(c, name, values, uses),
  );
  const raw = output.activation === 'linear' ? output : unactivated(c, output);
  compileLoss(c, topology.loss, raw, labels, parameterCount);
  const sums = c.array(c.microBatches * (parameterCount + extraCount), 'f32', 'sums');
  const evaluated = c.array(c.microBatches * evaluationCount, 'f32', 'evaluated');
  const finish = reductions(c.partials, sums, parameterCount + extraCount).map((source) => c.compiler.compile(source));
  const lossOnly = c.partials.filter(({ offset }) => offset === parameterCount);
  const evaluate = reductions(lossOnly, evaluated, evaluationCount, parameterCount).map((source) =>
    c.compiler.compile(source),
  );
  const plan = {
    ...{ layout, x, labels, weights: c.weights, batch: c.batch, sums, evaluated },
    takesClasses: topology.loss === 'softmaxCrossEntropy',
    gradient: [...c.training, ...c.backwardPass(), ...finish],
    evaluation: [...c.evaluation, ...evaluate],
  };
  await c.compiler.finished();
  return plan;
}

/** The loss gives the gradient of the output itself: where that went through an activation, a step between. */
function unactivated(c: Compilation, output: Values): Values {
  return compileShared(c, 'output', output, 1, true)[0]!;
}

function compileStage(c: Compilation, stage: Stage, inputs: readonly Values[]): Values {
  const input = inputs[0]!;
  switch (stage.kind) {
    case 'convolution':
      return compileConvolution(c, stage, input);
    case 'dense':
      return compileDense(c, stage, input);
    case 'maxPooling':
      return compileMaxPooling(c, stage, input);
    case 'averagePooling':
      return compileAveragePooling(c, stage, input);
    case 'identity':
      return input;
    case 'activation':
      return compileActivation(c, stage, input);
    case 'batchNormalisation':
      return compileBatchNormalisation(c, stage, input);
    case 'layerNormalisation':
      return compileLayerNormalisation(c, stage, input);
    case 'softmax':
      return compileSoftmax(c, stage, input);
    case 'concatenation':
      return compileConcatenation(c, stage, inputs);
    case 'padding':
    case 'cropping':
      return compileFrame(c, stage, input);
    case 'permutation':
      return compilePermutation(c, stage, input);
    case 'dropout':
      return compileDropout(c, stage, input);
    case 'merge':
      return compileMerge(c, stage, inputs);
    default:
      throw new Error(`coverage.ts lets ${stage.kind} through`);
  }
}
