/** How much each instruction has to do, to say what of the core's peak it reaches. */
import type { Instruction, InstructionName } from './program.js';

/** Of one run of an instruction. */
export interface Work {
  /** Pairs of a multiplication and an addition, at most: kernels leave out what a zero makes needless. */
  readonly multiplyAdds: number;
  /** float32 read and written, each counted once. */
  readonly bytes: number;
  /** What it goes from and to, for people. */
  readonly shapes: string;
}

type Values = Instruction['operands'];

interface Rule {
  readonly shapes: (o: Values) => string;
  /** Of one sample. */
  readonly multiplyAdds: (o: Values) => number;
  /** Elements of one sample; and of the weights, which are counted once. */
  readonly elements: (o: Values) => readonly [number, number];
}

const patch = (o: Values): number => o['kernel_height']! * o['kernel_width']!;
const picture = (o: Values): number => o['height']! * o['width']! * o['channels']!;
const pixels = (o: Values): number => o['out_height']! * o['out_width']!;
const pictures = (o: Values, channels: string): string =>
  `${o['height']}x${o['width']}x${o['channels']} -> ${o['out_height']}x${o['out_width']}x${o[channels]}`;
const kernel = (o: Values): string => ` by ${o['kernel_height']}x${o['kernel_width']}`;

/** With pooling, four sums for each output. */
const convolution = (passes: number): Rule => ({
  shapes: (o) => pictures(o, 'filters') + kernel(o),
  multiplyAdds: (o) => passes * pixels(o) * o['filters']! * patch(o) * o['channels']!,
  elements: (o) => [picture(o) + pixels(o) * o['filters']!, patch(o) * o['channels']! * o['filters']!],
});

const depthwise = (passes: number): Rule => ({
  shapes: (o) => pictures(o, 'channels') + kernel(o),
  multiplyAdds: (o) => passes * pixels(o) * patch(o) * o['channels']!,
  elements: (o) => [picture(o) + pixels(o) * o['channels']!, patch(o) * o['channels']!],
});

const dense: Rule = {
  shapes: (o) => `${o['rows']! > 1 ? `${o['rows']}x` : ''}${o['inputs']} -> ${o['outputs']}`,
  multiplyAdds: (o) => o['rows']! * o['inputs']! * o['outputs']!,
  elements: (o) => [o['rows']! * (o['inputs']! + o['outputs']!), o['inputs']! * o['outputs']!],
};

const rules: Partial<Readonly<Record<InstructionName, Rule>>> = {
  convolution_forward: {
    ...convolution(1),
    multiplyAdds: (o) => convolution(o['offsets'] === 0 ? 1 : 4).multiplyAdds(o),
  },
  convolution_backward: {
    ...convolution(2),
    multiplyAdds: (o) => convolution(o['in_gradient'] === 0 ? 1 : 2).multiplyAdds(o),
  },
  convolution_weights: convolution(1),
  depthwise_forward: depthwise(1),
  depthwise_backward: depthwise(2),
  dense_forward: dense,
  dense_backward: dense,
};

/** @param m - samples */
export function workOf({ name, operands }: Instruction, m: number): Work {
  const rule = rules[name];
  if (rule) {
    const [perSample, shared] = rule.elements(operands);
    return {
      multiplyAdds: m * rule.multiplyAdds(operands),
      bytes: 4 * (m * perSample + shared),
      shapes: rule.shapes(operands),
    };
  }
  const { rows = 1, columns, channels, size, height, width, in_size: inSize } = operands;
  const perSample = size ?? inSize ?? (height !== undefined ? picture(operands) : rows * (columns ?? channels ?? 1));
  const samples = name === 'clear_once' || name === 'pack_rows' || name === 'transpose' ? 1 : m;
  const shapes = height === undefined ? String(perSample) : `${height}x${width}x${channels}`;
  return { multiplyAdds: 0, bytes: 8 * samples * perSample, shapes };
}
