import type { Stage } from './stages.js';
import { activationBackward, activationKinds, type Compilation, type Values } from './compilation.js';
import { none } from './program.js';

/** out = activation(in W + b). */
export function compileDense(c: Compilation, stage: Stage & { kind: 'dense' }, input: Values): Values {
  const inputs = input.size;
  const outputs = stage.outputShape[0]!;
  const output = c.values(outputs);
  const kernel = c.parameter(`${stage.name}.kernel`);
  const backward = c.backwardStage();

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage.name, stage.useBias, outputs, output.gradient, 1, backward);
  const weights = c.packed(kernel.weights, inputs, outputs);
  const activation = activationKinds[stage.activation];
  c.forward.emit('dense_forward', { in: input.out, weights, bias, out: output.out, inputs, outputs, activation });

  backward.emit('dense_backward', {
    in: input.out,
    gradient: output.gradient,
    weight_gradient: kernel.sums,
    inputs,
    outputs,
  });
  if (input.gradient === none) return output;
  // d in = d out * transposed W: the forward kernel again, with inputs and outputs exchanged.
  const transposed = c.buffer(outputs * c.padded(inputs));
  c.packing.emit('transpose', {
    ...{
      from: kernel.weights,
      to: transposed,
      rows: inputs,
      columns: outputs,
      from_stride: outputs,
      to_stride: c.padded(inputs),
    },
    ...{ blocks: 1, from_block: 0, to_block: 0 },
  });
  backward.emit('dense_forward', {
    ...{ in: output.gradient, weights: transposed, bias: none, out: input.gradient },
    ...{ inputs: outputs, outputs: inputs, activation: activationKinds.linear },
  });
  return output;
}
