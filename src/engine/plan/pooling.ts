import type { Slide } from '../layers/operation.js';
import type { Compilation, Values } from './compilation.js';
import { elements, outOperands, pictureOperands } from './picture.js';
import { none } from './program.js';
import type { StageOf } from './stages.js';

function operands({ from, to, window }: Slide) {
  return {
    ...{ ...pictureOperands(from), window_height: window.size[0], window_width: window.size[1] },
    ...{ stride_height: window.stride[0], stride_width: window.stride[1] },
    ...{ top: window.before[0], left: window.before[1], ...outOperands(to) },
  };
}

export function compileMaxPooling(c: Compilation, stage: StageOf<'maxPooling'>, input: Values): Values {
  const output = c.values(elements(stage.to));
  const offsets = c.sampleBuffer(output.size);
  c.forward('max_pool_forward', { in: input.out, out: output.out, offsets, ...operands(stage) });
  if (input.gradient === none) return output;
  const backward = c.backwardStage();
  backward.emit('clear', { to: input.gradient, size: input.size });
  const sizes = { in_size: input.size, out_size: output.size };
  backward.emit('max_pool_backward', { gradient: output.gradient, offsets, in_gradient: input.gradient, ...sizes });
  return output;
}

export function compileAveragePooling(c: Compilation, stage: StageOf<'averagePooling'>, input: Values): Values {
  const output = c.values(elements(stage.to));
  c.forward('average_pool_forward', { in: input.out, out: output.out, ...operands(stage) });
  if (input.gradient === none) return output;
  const backward = c.backwardStage();
  backward.emit('clear', { to: input.gradient, size: input.size });
  backward.emit('average_pool_backward', {
    ...{ gradient: output.gradient, in_gradient: input.gradient },
    ...operands(stage),
  });
  return output;
}
