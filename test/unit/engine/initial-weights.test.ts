import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';

import { layoutOf } from '../../../src/core/layout.js';
import { initialiseWeights } from '../../../src/engine/initial-weights.js';

const tensors = [
  { name: 'conv1.kernel', shape: [5, 5, 1, 6] },
  { name: 'conv1.bias', shape: [6] },
  { name: 'dense1.kernel', shape: [256, 120] },
  { name: 'dense1.bias', shape: [120] },
];

function initialise(seed: number, which = tensors): Map<string, Float32Array> {
  const layout = layoutOf(which);
  const weights = new Float32Array(layout.parameterCount).fill(NaN);
  initialiseWeights(layout, seed, weights);
  return new Map(layout.tensors.map((t) => [t.name, weights.subarray(t.offset, t.offset + t.size)]));
}

describe('initialiseWeights', () => {
  it('draws kernels from +-sqrt(6 / (fanIn + fanOut)), with that spread, and zeroes biases', () => {
    const limits = { 'conv1.kernel': Math.sqrt(6 / (25 * 1 + 25 * 6)), 'dense1.kernel': Math.sqrt(6 / (256 + 120)) };
    const weights = initialise(7);
    for (const [name, limit] of Object.entries(limits)) {
      const values = weights.get(name)!;
      assert.ok(values.every((w) => Math.abs(w) <= limit));
      assert.ok(Math.max(...values) > 0.95 * limit && Math.min(...values) < -0.95 * limit);
    }
    const dense = weights.get('dense1.kernel')!;
    const variance = dense.reduce((sum, w) => sum + w * w, 0) / dense.length;
    assert.ok(Math.abs(variance / (limits['dense1.kernel'] ** 2 / 3) - 1) < 0.02);
    for (const name of ['conv1.bias', 'dense1.bias']) assert.ok(weights.get(name)!.every((b) => b === 0));
  });

  it('depends on the seed and on a tensor itself, not on its neighbours', () => {
    const alone = initialise(7, [tensors[2]!]).get('dense1.kernel');
    assert.deepEqual(alone, initialise(7).get('dense1.kernel'));
    assert.notDeepEqual(alone, initialise(8, [tensors[2]!]).get('dense1.kernel'));
  });

  it('has the bits that it always had', () => {
    const bytes = new Uint8Array(initialise(7).get('conv1.kernel')!.slice().buffer);
    assert.equal(createHash('sha256').update(bytes).digest('hex').slice(0, 16), '8d406c2d85290d50');
  });

  it('begins with normalisation that does nothing, and with small rows of a table', () => {
    const [gamma, beta, table] = ['norm.gamma', 'norm.beta', 'words.embeddings'].map((name) =>
      initialise(7, [{ name, shape: [50, 2] }]).get(name)!,
    );
    assert.ok(gamma!.every((value) => value === 1) && beta!.every((value) => value === 0));
    assert.ok(table!.every((value) => Math.abs(value) <= 0.05) && table!.some((value) => Math.abs(value) > 0.04));
  });

  it('refuses a tensor of which it does not know how it begins', () => {
    assert.throws(() => initialise(7, [{ name: 'odd.phase', shape: [6] }]), {
      code: 'TENSOR_WITHOUT_INITIALISER',
      message: /odd\.phase/,
    });
  });
});
