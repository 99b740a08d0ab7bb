import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBatchFrom, type BatchHistory } from '../../../src/core/batch-history.js';
import type { RunSpec } from '../../../src/core/run-spec.js';
import type { Optimizer } from '../../../src/optim/optimizer.js';
import { scaledStepAt } from '../../../src/worker/batch-scaling.js';

type Options = RunSpec['optimizer']['options'];

/** A run that began with batches of 100; 10,000 samples, so that an epoch with 200 is 50 steps. */
function scaling(name: string, rule: 'linear' | 'sqrt', options: Options = {}) {
  const spec = {
    dataset: { trainLength: 10_000 },
    dropLast: false,
    globalBatchSize: 100,
    optimizer: { name, options },
    learningRate: 0.1,
    rescaling: { rule, baseBatchSize: 100, learningRate: 0.1, options },
  } as unknown as RunSpec;
  return scaledStepAt(spec, (given) => ({ given }) as unknown as Optimizer)!;
}

const grown: BatchHistory = [
  { fromStep: 1, globalBatchSize: 100 },
  { fromStep: 21, globalBatchSize: 200 },
];
const optionsAt = (at: ReturnType<typeof scaling>, history: BatchHistory, step: number) =>
  (at(history, step).optimizer as unknown as { given: Options }).given;

describe('the learning rate of batches that vary', () => {
  it('follows a larger batch over a short warm-up', () => {
    const at = scaling('sgd', 'linear');
    const factors = [1, 20, 21, 25, 30, 31, 99].map((step) => at(grown, step).rateFactor);
    assert.deepEqual(factors, [1, 1, 1.1, 1.5, 2, 2, 2]);
  });

  it('follows a smaller one at once, and a ramp that was cut short from where it was', () => {
    const at = scaling('sgd', 'linear');
    const cut = withBatchFrom(grown, 26, 400);
    assert.equal(at(cut, 25).rateFactor, 1.5);
    assert.equal(at(cut, 26).rateFactor, 1.5 + 2.5 / 10);
    assert.equal(at(withBatchFrom(grown, 26, 50), 26).rateFactor, 0.5);
  });

  it('takes the options along where the rule says so', () => {
    const at = scaling('adam', 'sqrt', { beta1: 0.9 });
    assert.equal(at(grown, 40).rateFactor, Math.SQRT2);
    assert.ok(Math.abs(Number(optionsAt(at, grown, 21)['beta1']) - 0.81) < 1e-12);
    assert.ok(Math.abs(Number(optionsAt(at, grown, 21)['epsilon']) - 1e-8 / Math.SQRT2) < 1e-20);
  });

  it('corrects the momentum of LARS, whose buffer holds the rate, while the rate changes', () => {
    const at = scaling('lars', 'linear', { momentum: 0.5 });
    const momenta = [20, 21, 22, 31].map((step) => Number(optionsAt(at, grown, step)['momentum']));
    assert.deepEqual(
      momenta.map((m) => Number(m.toFixed(6))),
      [0.5, 0.55, Number(((0.5 * 1.2) / 1.1).toFixed(6)), 0.5],
    );
  });

  it('is not there where nothing follows', () => {
    assert.equal(
      scaledStepAt({ optimizer: {} } as RunSpec, () => ({}) as Optimizer),
      undefined,
    );
  });
});
