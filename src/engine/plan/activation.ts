import type { ActivationName, FusedActivation } from '../layers/operation.js';
import type { Compilation, Values } from './compilation.js';
import { bitsOf, none, type ProgramWriter } from './program.js';
import type { StageOf } from './stages.js';

/** As the enumerations in kernels/activation.h and activation.c. */
export const activationKinds: Readonly<Record<ActivationName, number>> = {
  linear: 0,
  relu: 1,
  tanh: 2,
  sigmoid: 3,
  elu: 4,
  selu: 5,
  softplus: 6,
  softsign: 7,
  hardSigmoid: 8,
  clippedRelu: 9,
  leakyRelu: 10,
  thresholdedRelu: 11,
  swish: 12,
  mish: 13,
  gelu: 14,
  geluNew: 15,
};

/** Turns the gradient behind an activation that another kernel took along into the one before it, in place. */
export function activationBackward(
  writer: ProgramWriter,
  activation: FusedActivation,
  { out, gradient, size }: Values,
): void {
  const kind = activationKinds[activation];
  if (activation !== 'linear')
    writer.emit('activation_backward', { in: none, out, gradient, size, kind, parameter: 0 });
}

/** An activation that no kernel could take along. Out of place, since the stage before may need its own output. */
export function compileActivation(c: Compilation, stage: StageOf<'activation'>, input: Values): Values {
  const output = behind(c, input);
  const how = { size: input.size, kind: activationKinds[stage.activation], parameter: bitsOf(stage.parameter) };
  c.forward('activation_forward', { in: input.out, out: output.out, ...how });
  if (output.gradient !== none)
    c.backwardStage().emit('activation_backward', {
      ...{ in: input.out, out: output.out, gradient: output.gradient },
      ...how,
    });
  return output;
}

export function compileSoftmax(c: Compilation, stage: StageOf<'softmax'>, input: Values): Values {
  const output = behind(c, input);
  const { rows, logarithm } = stage;
  const how = { rows, columns: input.size / rows, logarithm: Number(logarithm) };
  c.forward('softmax_forward', { in: input.out, out: output.out, ...how });
  if (output.gradient !== none)
    c.backwardStage().emit('softmax_backward', { out: output.out, gradient: output.gradient, ...how });
  return output;
}

export function compilePrelu(c: Compilation, stage: StageOf<'prelu'>, input: Values): Values {
  const output = { ...behind(c, input), gradient: input.gradient || c.sampleBuffer(input.size) };
  const { weights: slopes, sums } = c.vector(stage.weights[0]);
  const how = { rows: stage.rows, columns: input.size / stage.rows };
  c.forward('prelu_forward', { in: input.out, slopes, out: output.out, ...how });
  c.backwardStage().emit('prelu_backward', {
    ...{ in: input.out, slopes, gradient: output.gradient, slope_gradient: sums },
    ...how,
  });
  return output;
}

/** The output of a stage that turns its gradient in place into that of its input: one gradient for both. */
export function behind(c: Compilation, input: Values): Values {
  return { ...input, out: c.sampleBuffer(input.size) };
}
