import type { Arena } from '../core/arena.js';
import { weightsDigest } from '../core/digest.js';
import { randomStream } from '../core/random.js';
import { extraCount } from './engine.js';
import type { Kernels } from './kernels.js';
import { compilePlan } from './plan/plan.js';
import { layoutOfTopology, type Topology } from './topology.js';

/** What `answerOf` gives for right kernels, at any width. It changes when the numerics do: `numericsVersion`. */
export const knownAnswer = '0f32479422672147003f6a64f65360bd1242ad149d527a90edb7555029e111d7';

const none = { before: [0, 0], after: [0, 0] } as const;

/** Every instruction takes part: strides, borders, both kinds of pooling, all activations, odd numbers of everything. */
const topology: Topology = {
  inputShape: [13, 15, 3],
  layers: [
    {
      ...{ kind: 'convolution', name: 'a', inputShape: [13, 15, 3], outputShape: [13, 15, 9], filters: 9 },
      ...{ window: { size: [3, 3], stride: [1, 1], before: [1, 1], after: [1, 1] }, activation: 'relu', useBias: true },
    },
    {
      ...{ kind: 'maxPooling', name: 'b', inputShape: [13, 15, 9], outputShape: [6, 7, 9] },
      window: { size: [2, 2], stride: [2, 2], ...none },
    },
    {
      ...{ kind: 'convolution', name: 'c', inputShape: [6, 7, 9], outputShape: [5, 3, 21], filters: 21 },
      ...{ window: { size: [2, 3], stride: [1, 2], ...none }, activation: 'tanh', useBias: false },
    },
    {
      ...{ kind: 'maxPooling', name: 'd', inputShape: [5, 3, 21], outputShape: [2, 2, 21] },
      window: { size: [3, 2], stride: [2, 1], ...none },
    },
    { kind: 'activation', name: 'e', inputShape: [2, 2, 21], outputShape: [2, 2, 21], activation: 'sigmoid' },
    { kind: 'flatten', name: 'f', inputShape: [2, 2, 21], outputShape: [84] },
    {
      ...{ kind: 'dense', name: 'g', inputShape: [84], outputShape: [19], units: 19 },
      ...{ activation: 'tanh', useBias: true },
    },
    {
      ...{ kind: 'dense', name: 'h', inputShape: [19], outputShape: [5], units: 5 },
      ...{ activation: 'linear', useBias: true },
    },
  ],
  classes: 5,
};

const microBatchSize = 6;

/**
 * Digest of the gradient of a small model that leaves no kernel out, added to the gradient of its first samples. Two sets of
 * kernels with the same answer compute the same bits. Takes about a millisecond.
 *
 * @param kernels - over `arena`, which has some room taken
 */
export function answerOf(kernels: Kernels, arena: Arena): string {
  const layout = layoutOfTopology(topology);
  const { x, y, packing, gradient } = compilePlan(topology, microBatchSize, arena, kernels.lane_count());
  const weights = arena.float32(layout.parameterCount);
  const [sum, part] = [arena.float32(weights.length + extraCount), arena.float32(weights.length + extraCount)];
  const random = randomStream(1, 'known answer');
  for (const vector of [x, weights]) for (let i = 0; i < vector.length; i++) vector[i] = random.uniform() - 0.5;
  for (let i = 0; i < y.length; i++) y[i] = i % topology.classes;
  for (const [m, to] of [
    [microBatchSize, sum],
    [3, part],
  ] as const) {
    for (const { address, length } of [packing, gradient])
      kernels.run_program(0, address, length, m, weights.byteOffset, to.byteOffset);
  }
  kernels.add(0, sum.byteOffset, part.byteOffset, sum.length);
  return weightsDigest(sum);
}
