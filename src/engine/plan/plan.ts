/**
 * A plan: a model and a micro-batch size, compiled to programs of kernel calls over fixed places in the arena.
 *
 * All memory is laid out here. A step allocates nothing and calls the kernels' module once a block of samples.
 */
import type { Arena } from '../../core/arena.js';
import { layoutOfTopology, type Topology } from '../topology.js';
import { compileActivation, compilePrelu, compileSoftmax } from './activation.js';
import { Compilation, type Values } from './compilation.js';
import { compileConvolution } from './convolution.js';
import { compileDense, compileEmbedding } from './dense.js';
import { compileConcatenation, compileDropout, compileFrame, compileMerge, compilePermutation } from './elements.js';
import { compileDepthwise, compileTransposed } from './more-convolutions.js';
import { compileBatchNormalisation, compileLayerNormalisation } from './normalisation.js';
import { compileAveragePooling, compileMaxPooling } from './pooling.js';
import { blockSizeOf } from './block-size.js';
import { instructions } from './instructions.js';
import { bitsOf, inSamples, inSums, none, ProgramWriter, type Address, type Program } from './program.js';
import { compileStages, type Stage } from './stages.js';
import { sizeOf } from '../../core/shape.js';

export interface Plan {
  /** float32[microBatchSize * sampleSize]: the samples. */
  readonly x: Float32Array;
  /** int32[microBatchSize]: their classes. */
  readonly y: Int32Array;
  /** float32[microBatchSize * outputs]: what the outputs are compared with, if the loss does; else empty. */
  readonly targets: Float32Array;
  /** Samples that a run of a program takes, at most. */
  readonly blockSize: number;
  /** Elements of a sample. */
  readonly sampleSize: number;
  /** uint32[4], to be set before a run of `gradient` or `evaluation`: `begin_block` in kernels/program.h. */
  readonly block: Uint32Array;
  /** Brings the weights into the order that the kernels want. */
  readonly packing: Program;
  /** Forward, loss and backward: fills the sums' vector, extras included. */
  readonly gradient: Program;
  /** float32[1]: what the gradient of the loss is multiplied with, where the plan was compiled for it. */
  readonly lossScale?: Float32Array;
  /** Forward and loss: the sums' vector is the extras alone. */
  readonly evaluation: Program;
}

/**
 * @param microBatchSize - samples of the largest micro-batch
 * @param lanes - floats in one of the kernels' vectors
 * @param seed - of the run: random masks depend on it
 * @param blockSize - default what fits the cache
 * @param scalesLoss - whether there is a `lossScale`
 */
export function compilePlan(
  topology: Topology,
  microBatchSize: number,
  arena: Arena,
  lanes: number,
  seed = 0,
  blockSize = blockSizeOf(topology, microBatchSize),
  scalesLoss = false,
): Plan {
  const layout = layoutOfTopology(topology);
  const c = new Compilation(arena, layout, blockSize, lanes, seed);
  const sampleSize = sizeOf(topology.inputShape);
  const x = c.buffer(microBatchSize * sampleSize);
  const classes = c.buffer(microBatchSize);
  const targetSize = topology.loss === 'softmaxCrossEntropy' ? 0 : topology.outputs;
  const targets = c.buffer(microBatchSize * targetSize);
  const total = c.buffer(2);

  const output = compileStages<Values>(
    topology,
    { out: inSamples(x), gradient: none, size: sampleSize },
    (stage, inputs) => compileStage(c, stage, inputs),
    (_, values, uses) => shared(c, values, uses),
  );
  c.begin('loss');
  const loss = (gradient: Address, extras: Address): ProgramWriter =>
    lossProgram(topology, { out: output.out, labels: classes, targets, gradient, extras, total });
  const isScaled = scalesLoss && output.gradient !== none;
  const scaling = isScaled ? scalingOf(output) : new ProgramWriter();
  const gradient = joined(
    c.training,
    loss(output.gradient, inSums(layout.parameterCount)),
    scaling,
    ...c.backwardPass(),
  ).store(arena);
  return {
    x: new Float32Array(arena.buffer, x, microBatchSize * sampleSize),
    y: new Int32Array(arena.buffer, classes, microBatchSize),
    targets: new Float32Array(arena.buffer, targets, microBatchSize * targetSize),
    blockSize,
    sampleSize,
    block: new Uint32Array(arena.buffer, c.block, 4),
    packing: c.packing.store(arena),
    gradient,
    ...(isScaled ? { lossScale: factorIn(arena, gradient) } : {}),
    evaluation: joined(c.evaluation, loss(none, inSums(0))).store(arena),
  };
}

/** Sets `block` and calls `run` for one block of the samples after the other; sums go on from block to block. */
export function forEachBlock(
  { block, blockSize, sampleSize }: Plan,
  m: number,
  { position, epoch }: { readonly position: number; readonly epoch: number },
  run: (count: number) => void,
): void {
  for (let first = 0; first < m; first += blockSize) {
    block.set([first, first * sampleSize * 4, position, epoch]);
    run(Math.min(blockSize, m - first));
  }
}

/** One and the same output for several stages: each has a gradient of its own, and their sum is the output's. */
function shared(c: Compilation, output: Values, count: number): Values[] {
  if (count <= 1 || output.gradient === none) return Array.from({ length: count }, () => output);
  const { gradient: out, size } = output;
  const copies = Array.from({ length: count }, () => ({ ...output, gradient: c.sampleBuffer(size) }));
  const backward = c.backwardStage();
  let sum = copies[0]!.gradient;
  for (const { gradient } of copies.slice(1)) {
    backward.emit('combine', { a: sum, b: gradient, out, size, multiply: 0 });
    sum = out;
  }
  return copies;
}

function compileStage(c: Compilation, stage: Stage, inputs: readonly Values[]): Values {
  c.begin(stage.name);
  const input = inputs[0]!;
  switch (stage.kind) {
    case 'convolution':
      return compileConvolution(c, stage, input);
    case 'depthwiseConvolution':
      return compileDepthwise(c, stage, input);
    case 'transposedConvolution':
      return compileTransposed(c, stage, input);
    case 'maxPooling':
      return compileMaxPooling(c, stage, input);
    case 'averagePooling':
      return compileAveragePooling(c, stage, input);
    case 'dense':
      return compileDense(c, stage, input);
    case 'embedding':
      return compileEmbedding(c, stage, input);
    case 'identity':
      return input; //                                          values lie row by row without gaps: nothing moves
    case 'activation':
      return compileActivation(c, stage, input);
    case 'softmax':
      return compileSoftmax(c, stage, input);
    case 'prelu':
      return compilePrelu(c, stage, input);
    case 'batchNormalisation':
      return compileBatchNormalisation(c, stage, input);
    case 'layerNormalisation':
      return compileLayerNormalisation(c, stage, input);
    case 'dropout':
      return compileDropout(c, stage, input);
    case 'merge':
      return compileMerge(c, stage, inputs);
    case 'concatenation':
      return compileConcatenation(c, stage, inputs);
    case 'padding':
    case 'cropping':
      return compileFrame(c, stage, input);
    case 'permutation':
      return compilePermutation(c, stage, input);
  }
}

function lossProgram(
  { loss, outputs }: Topology,
  {
    out,
    labels,
    targets,
    ...results
  }: Readonly<Record<'out' | 'labels' | 'targets' | 'gradient' | 'extras' | 'total', Address>>,
): ProgramWriter {
  const writer = new ProgramWriter('loss');
  switch (loss) {
    case 'softmaxCrossEntropy':
      writer.emit('softmax_cross_entropy', { logits: out, labels, ...results, classes: outputs });
      break;
    case 'sigmoidCrossEntropy':
      writer.emit('sigmoid_cross_entropy', { logits: out, targets, ...results, outputs });
      break;
    case 'meanSquaredError':
      writer.emit('mean_squared_error', { predictions: out, targets, ...results, outputs });
  }
  return writer;
}

const lossScaling = 'loss scaling';

/** The gradient of the output times a factor: 1 at first, and then what is written there. */
function scalingOf({ gradient, size }: Values): ProgramWriter {
  const writer = new ProgramWriter(lossScaling);
  writer.emit('scale_to', { from: gradient, to: gradient, size, factor: bitsOf(1) });
  return writer;
}

/** Where that factor lies in the program. */
function factorIn(arena: Arena, { address, instructions: written }: Program): Float32Array {
  const { position } = written.find(({ layer }) => layer === lossScaling)!;
  const word = position + 1 + instructions.scale_to.indexOf('factor');
  return new Float32Array(arena.buffer, address + word * 4, 1);
}

function joined(...parts: readonly ProgramWriter[]): ProgramWriter {
  const whole = new ProgramWriter();
  for (const part of parts) whole.append(part);
  return whole;
}
