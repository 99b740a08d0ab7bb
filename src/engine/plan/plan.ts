/**
 * A plan: a sequential model and a micro-batch size, compiled to programs of kernel calls over fixed places in the arena.
 *
 * All memory is laid out here. A step allocates nothing and calls the kernels' module once.
 */
import type { Arena } from '../../core/arena.js';
import { layoutOfTopology, type Topology } from '../topology.js';
import { activationBackward, activationKinds, Compilation, type Values } from './compilation.js';
import { compileConvolution } from './convolution.js';
import { compileDense } from './dense.js';
import { inSums, none, ProgramWriter, type Program } from './program.js';
import { stagesOf, type Stage } from './stages.js';

export interface Plan {
  /** float32[microBatchSize * sampleSize]: the samples. */
  readonly x: Float32Array;
  /** int32[microBatchSize]: their classes. */
  readonly y: Int32Array;
  /** Brings the weights into the order that the kernels want. */
  readonly packing: Program;
  /** Forward, loss and backward: fills the sums' vector, extras included. */
  readonly gradient: Program;
  /** Forward and loss: the sums' vector is the extras alone. */
  readonly evaluation: Program;
}

/**
 * @param microBatchSize - samples of the largest micro-batch
 * @param lanes - floats in one of the kernels' vectors
 */
export function compilePlan(topology: Topology, microBatchSize: number, arena: Arena, lanes: number): Plan {
  const layout = layoutOfTopology(topology);
  const c = new Compilation(arena, layout, microBatchSize, lanes);
  const sampleSize = topology.inputShape.reduce((size, d) => size * d, 1);
  const x = c.sampleBuffer(sampleSize);
  const labels = c.sampleBuffer(1);

  let values: Values = { out: x, gradient: none, size: sampleSize };
  for (const stage of stagesOf(topology)) values = compileStage(c, stage, values);

  const loss = (gradient: number, extras: number): ProgramWriter => {
    const writer = new ProgramWriter();
    writer.emit('softmax_cross_entropy', { logits: values.out, labels, gradient, extras, classes: topology.classes });
    return writer;
  };
  return {
    x: new Float32Array(arena.buffer, x, microBatchSize * sampleSize),
    y: new Int32Array(arena.buffer, labels, microBatchSize),
    packing: c.packing.store(arena),
    gradient: joined(c.forward, loss(values.gradient, inSums(layout.parameterCount)), ...c.backwardPass()).store(arena),
    evaluation: joined(c.forward, loss(none, inSums(0))).store(arena),
  };
}

function compileStage(c: Compilation, stage: Stage, input: Values): Values {
  switch (stage.kind) {
    case 'convolution':
      return compileConvolution(c, stage, input);
    case 'dense':
      return compileDense(c, stage, input);
    case 'maxPooling':
      return compileMaxPooling(c, stage, input);
    case 'activation':
      return compileActivation(c, stage, input);
  }
}

function compileMaxPooling(c: Compilation, stage: Stage & { kind: 'maxPooling' }, input: Values): Values {
  const [height, width, channels] = stage.inputShape as [number, number, number];
  const [outHeight, outWidth] = stage.outputShape as [number, number, number];
  const output = c.values(outHeight * outWidth * channels);
  const offsets = c.sampleBuffer(output.size);
  const { size, stride, before } = stage.window;
  c.forward.emit('max_pool_forward', {
    ...{
      in: input.out,
      out: output.out,
      offsets,
      height,
      width,
      channels,
      window_height: size[0],
      window_width: size[1],
    },
    ...{
      stride_height: stride[0],
      stride_width: stride[1],
      top: before[0],
      left: before[1],
      out_height: outHeight,
      out_width: outWidth,
    },
  });
  if (input.gradient === none) return output;
  const backward = c.backwardStage();
  backward.emit('clear', { to: input.gradient, size: input.size });
  const sizes = { in_size: input.size, out_size: output.size };
  backward.emit('max_pool_backward', { gradient: output.gradient, offsets, in_gradient: input.gradient, ...sizes });
  return output;
}

/** An activation that no kernel could take along. Out of place, since the stage before may need its own output. */
function compileActivation(c: Compilation, stage: Stage & { kind: 'activation' }, input: Values): Values {
  const output: Values = { ...input, out: c.sampleBuffer(input.size) }; // backward works in place: one gradient for both
  c.forward.emit('activation_forward', {
    in: input.out,
    out: output.out,
    size: input.size,
    kind: activationKinds[stage.activation],
  });
  if (input.gradient !== none) activationBackward(c.backwardStage(), stage.activation, output);
  return output;
}

function joined(...parts: readonly ProgramWriter[]): ProgramWriter {
  const whole = new ProgramWriter();
  for (const part of parts) whole.append(part);
  return whole;
}
