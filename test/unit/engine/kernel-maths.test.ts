import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { loadWasmKernels, type Kernels } from '../../../src/engine/kernels.js';
import { activationKinds } from '../../../src/engine/plan/activation.js';
import { inSums, none, ProgramWriter } from '../../../src/engine/plan/program.js';

const arena = createArena();
let kernels: Kernels;
before(async () => {
  kernels = await loadWasmKernels(arena);
});

/** Applies an activation to each value. */
function activate(kind: keyof typeof activationKinds, values: readonly number[]): Float32Array {
  const [from, to] = [arena.float32(values.length + 16), arena.float32(values.length + 16)];
  from.set(values);
  const writer = new ProgramWriter();
  const operands = {
    in: from.byteOffset,
    out: to.byteOffset,
    size: values.length,
    kind: activationKinds[kind],
    parameter: 0,
  };
  writer.emit('activation_forward', operands);
  const { address, length } = writer.store(arena);
  kernels.run_program(0, address, length, 1, 0, 0);
  return to.subarray(0, values.length);
}

/** Loss sum, correct count and gradient of a micro-batch. */
function crossEntropy(logits: readonly (readonly number[])[], labels: readonly number[]) {
  const classes = logits[0]!.length;
  const z = arena.float32(logits.length * classes);
  const gradient = arena.float32(z.length);
  const extras = arena.float32(2);
  const y = arena.float32(labels.length);
  z.set(logits.flat());
  new Int32Array(y.buffer, y.byteOffset, labels.length).set(labels);
  const writer = new ProgramWriter();
  const places = {
    logits: z.byteOffset,
    labels: y.byteOffset,
    gradient: gradient.byteOffset,
    extras: inSums(0),
    total: arena.float32(2).byteOffset,
    classes,
  };
  writer.emit('softmax_cross_entropy', places);
  const { address, length } = writer.store(arena);
  kernels.run_program(0, address, length, logits.length, none, extras.byteOffset);
  return { loss: extras[0]!, correct: extras[1]!, gradient: [...gradient] };
}

/** |a - b| in units of b's last place in float32. */
function unitsOff(a: number, b: number): number {
  const place = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(b))), -126) - 23);
  return b === 0 ? Math.abs(a) : Math.abs(a - b) / place;
}

/** From 1e-6 to 100 in both directions, densely where the curves bend, as float32. */
const points = [
  ...Array.from({ length: 4001 }, (_, i) => (i - 2000) / 200),
  ...Array.from({ length: 161 }, (_, i) => 10 ** (-6 + i / 20)),
].flatMap((x) => [Math.fround(x), Math.fround(-x)]);

describe('activations', () => {
  it('tanh is within 3 units in the last place', () => {
    activate('tanh', points).forEach((value, i) =>
      assert.ok(unitsOff(value, Math.tanh(points[i]!)) <= 3, `tanh(${points[i]}) = ${value}`),
    );
  });

  it('sigmoid is within 4 units in the last place down to -64, and never negative', () => {
    activate('sigmoid', points).forEach((value, i) => {
      const x = points[i]!;
      if (x >= -64) assert.ok(unitsOff(value, 1 / (1 + Math.exp(-x))) <= 4, `sigmoid(${x}) = ${value}`);
      else assert.ok(value >= 0 && value < 1e-27);
    });
  });

  it('pass a NaN on, take infinities to their limits; ReLU makes 0 of -0', () => {
    const odd = [NaN, Infinity, -Infinity, -0];
    assert.deepEqual([...activate('relu', odd)], [NaN, Infinity, 0, 0]);
    assert.deepEqual([...activate('tanh', odd)], [NaN, 1, -1, -0]);
    assert.deepEqual(
      [...activate('sigmoid', odd)].map((value) => (value < 1e-27 ? 0 : value)),
      [NaN, 1, 0, 0.5],
    );
  });
});

describe('softmax_cross_entropy', () => {
  it('is right to float32 for logits near and far', () => {
    for (const spread of [1e-3, 1, 30, 1e4]) {
      const logits = Array.from({ length: 4 }, (_, b) =>
        Array.from({ length: 10 }, (_, j) => Math.fround(spread * Math.sin(7 * b + j))),
      );
      const labels = [3, 0, 9, 5];
      let loss = 0;
      const gradient = logits.flatMap((z, b) => {
        const largest = Math.max(...z);
        const total = z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
        loss += Math.log(total) - (z[labels[b]!]! - largest);
        return z.map((value, j) => Math.exp(value - largest) / total - Number(j === labels[b]));
      });
      const ours = crossEntropy(logits, labels);
      assert.ok(Math.abs(ours.loss - loss) <= 1e-7 * loss, `loss ${ours.loss}, not ${loss}`);
      ours.gradient.forEach((g, i) => assert.ok(Math.abs(g - gradient[i]!) <= 1e-7 * Math.abs(gradient[i]!) + 1e-15));
    }
  });

  it('counts the first of equal logits as the answer', () => {
    assert.equal(
      crossEntropy(
        [
          [1, 5, 5],
          [1, 5, 5],
          [0, 0, 0],
        ],
        [1, 2, 0],
      ).correct,
      2,
    );
  });

  it('gives a loss that is not finite for logits that are not', () => {
    for (const bad of [NaN, Infinity]) {
      const { loss, gradient } = crossEntropy(
        [
          [0, 1, 2],
          [0, bad, 1],
        ],
        [0, 0],
      );
      assert.ok(!Number.isFinite(loss) && gradient.slice(3).some(Number.isNaN), `${bad}`);
    }
  });
});
