import { activationBackward, activationKinds } from './activation.js';
import type { Compilation, Values } from './compilation.js';
import { none } from './program.js';
import type { StageOf } from './stages.js';

/** out = activation(in W + b), for each row of a sample. */
export function compileDense(c: Compilation, stage: StageOf<'dense'>, input: Values): Values {
  const { rows, units: outputs } = stage;
  const inputs = input.size / rows;
  const output = c.values(rows * outputs);
  const kernel = c.parameter(stage.weights[0]!);
  const backward = c.backwardStage();

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage, outputs, output.gradient, rows, backward);
  const weights = c.packed(kernel.weights, inputs, outputs);
  const activation = activationKinds[stage.activation];
  c.forward('dense_forward', { in: input.out, weights, bias, out: output.out, rows, inputs, outputs, activation });

  const { gradient } = output;
  backward.emit('dense_backward', { in: input.out, gradient, weight_gradient: kernel.sums, rows, inputs, outputs });
  if (input.gradient === none) return output;
  // d in = d out * transposed W: the forward kernel again, with inputs and outputs exchanged.
  const transposed = c.buffer(outputs * c.padded(inputs));
  c.packing.emit('transpose', {
    ...{ from: kernel.weights, to: transposed, rows: inputs, columns: outputs },
    ...{ from_stride: outputs, to_stride: c.padded(inputs), blocks: 1, from_block: 0, to_block: 0 },
  });
  backward.emit('dense_forward', {
    ...{ in: gradient, weights: transposed, bias: none, out: input.gradient, rows },
    ...{ inputs: outputs, outputs: inputs, activation: activationKinds.linear },
  });
  return output;
}

/** Rows of a table, by indices. */
export function compileEmbedding(c: Compilation, stage: StageOf<'embedding'>, input: Values): Values {
  const { vocabulary, width } = stage;
  const output = c.values(input.size * width);
  const { weights: table, sums } = c.parameter(stage.weights[0]!);
  const how = { rows: input.size, vocabulary, width };
  c.forward('embedding_forward', { in: input.out, table, out: output.out, ...how });
  const backward = c.backwardStage();
  backward.emit('embedding_backward', { in: input.out, gradient: output.gradient, table_gradient: sums, ...how });
  if (input.gradient !== none) backward.emit('clear', { to: input.gradient, size: input.size }); // an index has no slope
  return output;
}
