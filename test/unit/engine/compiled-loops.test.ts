import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createArena, type Arena } from '../../../src/core/arena.js';
import { randomStream } from '../../../src/core/random.js';
import { CompiledLoops } from '../../../src/engine/compiled-loops.js';
import { loadWasmKernels, type Kernels } from '../../../src/engine/kernels.js';
import { bindNative } from '../../../src/engine/native-kernels.js';
import { sumOfSquares } from '../../../src/optim/norm.js';
import { updateLoops, type Optimizer, type OptimizerState } from '../../../src/optim/optimizer.js';
import { withOuterMomentum } from '../../../src/optim/outer-momentum.js';
import { createOptimizer, optimizerNames } from '../../../src/optim/registry.js';
import { nativeAddon, skippedWithoutNative } from './support.js';

/** Every rule with its defaults, and with all that its options can switch on. */
const variants: readonly [string, Record<string, number | boolean>][] = [
  ...optimizerNames.map((name): [string, Record<string, number | boolean>] => [name, {}]),
  ['sgd', { weightDecay: 0.1 }],
  ['nesterov', { weightDecay: 0.1, momentum: 0.7 }],
  ['adam', { amsgrad: true, weightDecay: 0.1 }],
  ['rmsprop', { centered: true, momentum: 0.9, weightDecay: 0.1 }],
  ['rmsprop', { centered: true }],
  ['rmsprop', { momentum: 0.5 }],
  ['adagrad', { weightDecay: 0.1 }],
  ['adadelta', { weightDecay: 0.1 }],
  ['rprop', { stepMin: 0.019, stepMax: 0.021 }],
  ['lars', { weightDecay: 0.1 }],
  ['lamb', { weightDecay: 0.1 }],
];

const length = 101;
const tensors = [
  { offset: 0, size: 35, shape: [7, 5] },
  { offset: 35, size: 5, shape: [5] },
  { offset: 40, size: 60, shape: [60, 1] }, //                     zeros: no ratio
  { offset: 100, size: 1, shape: [1] },
].map((tensor) => ({ ...tensor, name: `${tensor.offset}`, trainable: true }));

/** Among others NaN, infinities, zeros of both signs, numbers next to nothing. */
const special = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-45, 3e38];

function state(arena: Arena, rule: Optimizer): OptimizerState {
  const random = randomStream(12, 'state');
  const weights = arena.float32(length);
  for (let i = 0; i < length; i++) weights[i] = i >= 40 && i < 100 ? 0 : random.uniform() - 0.5;
  const slots = rule.slots.map((slot) => arena.float32(length).fill(rule.initialSlotValue(slot, 0.02)));
  return { weights, slots };
}

/** Some steps, whole and in slices, the last one in place; all that they left behind. */
function trained(rule: Optimizer, arena: Arena): Float32Array[] {
  let [from, to] = [state(arena, rule), state(arena, rule)];
  const gradient = arena.float32(length);
  const random = randomStream(13, 'gradient');
  let scalars = rule.initialScalars;
  const seen: Float32Array[] = [];
  for (let step = 0; step < 6; step++) {
    for (let i = 0; i < length; i++) gradient[i] = 2 * random.uniform() - 1;
    if (step === 4) gradient.set(special, 3);
    scalars = rule.advance(scalars);
    const factors = { learningRate: 0.02, sampleCount: 7, clipFactor: step === 2 ? 0.3 : 1 };
    const cuts = [0, 1, 38, 38, 77, length];
    if (step === 5) rule.update(from, from, gradient, scalars, factors, 0, length);
    else if (step % 2 === 0) rule.update(from, to, gradient, scalars, factors, 0, length);
    else
      for (const [i, cut] of cuts.slice(1).entries()) rule.update(from, to, gradient, scalars, factors, cuts[i]!, cut);
    if (step < 5) [from, to] = [to, from];
    seen.push(...[from.weights, ...from.slots].map((vector) => vector.slice()));
  }
  return seen;
}

/** Kernels that are called, or nothing would be compared. */
function counted(kernels: Kernels): { readonly kernels: Kernels; readonly calls: () => number } {
  let calls = 0;
  const run_loop: Kernels['run_loop'] = (memory, call) => {
    calls += 1;
    kernels.run_loop(memory, call);
  };
  return { kernels: { ...kernels, run_loop }, calls: () => calls };
}

function contract(load: (arena: Arena) => Kernels | Promise<Kernels>): void {
  for (const [name, options] of variants) {
    it(`${name} ${JSON.stringify(options)}: the bits of the rule in TypeScript`, async () => {
      for (const outer of [false, true]) {
        const make = (): Optimizer => {
          const rule = createOptimizer(name, options, tensors);
          return outer ? withOuterMomentum(rule) : rule;
        };
        const arena = createArena();
        const { kernels, calls } = counted(await load(arena));
        assert.deepEqual(trained(new CompiledLoops(kernels, arena).optimizer(make()), arena), trained(make(), arena));
        assert.ok(calls() > 0);
      }
    });
  }

  it('sums of squares of every length have the bits of TypeScript', async () => {
    const arena = createArena();
    const { kernels, calls } = counted(await load(arena));
    const loops = new CompiledLoops(kernels, arena);
    const values = arena.float32(200);
    const random = randomStream(14, 'values');
    for (let i = 0; i < values.length; i++) values[i] = random.uniform() - 0.5;
    for (let size = 0; size < 100; size++)
      assert.equal(loops.sumOfSquares(values, 7, 7 + size, 1 / 3), sumOfSquares(values, 7, 7 + size, 1 / 3));
    assert.equal(calls(), 100);
  });
}

describe('loops of update rules', () => {
  it('are all used by some rule', () => {
    assert.deepEqual(new Set(variants.map(([name]) => createOptimizer(name).loop)), new Set(updateLoops));
  });

  it('are done in TypeScript where a vector is not in the arena', async () => {
    const arena = createArena();
    const { kernels, calls } = counted(await loadWasmKernels(arena));
    const own = { float32: (size: number) => new Float32Array(size) } as unknown as Arena;
    const rule = createOptimizer('adam');
    const loops = new CompiledLoops(kernels, arena);
    assert.deepEqual(trained(loops.optimizer(rule), own), trained(rule, own));
    assert.equal(loops.sumOfSquares(Float32Array.of(3, 4), 0, 2), 25);
    assert.equal(calls(), 0);
  });

  describe('wasm', () => contract((arena) => loadWasmKernels(arena)));

  const skip = skippedWithoutNative();
  const addon = nativeAddon()?.addon;
  for (const [i, variant] of (addon?.variants ?? ['native']).entries())
    describe(variant, { skip }, () => contract((arena) => bindNative(addon!, arena, i)));
});
