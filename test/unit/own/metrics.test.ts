import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createArena } from '../../../src/core/arena.js';
import { evaluationCount } from '../../../src/core/layout.js';
import type { MetricSpec } from '../../../src/core/run-spec.js';
import { classNumbers } from '../../../src/engine/has-accuracy.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';
import { Metrics } from '../../../src/engine/op-by-op/metrics.js';
import { OpByOpEngine } from '../../../src/engine/op-by-op/op-by-op-engine.js';
import { metricSpecsOf, wrongMetrics } from '../../../src/own/metrics.js';

describe('metrics of a module', () => {
  it('are functions or names, by name', () => {
    assert.equal(metricSpecsOf({}), undefined);
    assert.deepEqual(metricSpecsOf({ metrics: ['accuracy'] }), [{ name: 'accuracy', of: 'accuracy' }]);
    const metrics = { mae: 'meanAbsoluteError', mine: (_tf, labels) => labels } as const satisfies Parameters<
      typeof metricSpecsOf
    >[0]['metrics'];
    assert.deepEqual(metricSpecsOf({ metrics }), [
      { name: 'mae', of: 'meanAbsoluteError' },
      { name: 'mine', of: 'own' },
    ]);
  });

  it('that make no sense are refused in words', () => {
    for (const [metrics, words] of [
      ['accuracy', /metrics is of type string/],
      [['meanError'], /metrics\.meanError is meanError, not a function or one of accuracy, /],
      [{ 'a b': 'accuracy' }, /the metric "a b" needs a name/],
      [Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`m${i}`, 'accuracy'])), /21 metrics, and 20 are/],
    ] as const)
      assert.match(wrongMetrics(metrics) ?? '', words);
    assert.equal(wrongMetrics(['accuracy', 'top5Accuracy']), undefined);
  });

  it('by name: those of classes agree with what an engine counts, and want classes', async () => {
    const [model, m] = [buildModelSpec('mlp'), 16];
    const engine = await OpByOpEngine.create('wasm', { model, microBatchSize: m, arena: createArena() });
    const weights = Float32Array.from({ length: engine.layout.weightCount }, (_, i) => (((i * 7919) % 101) - 50) / 500);
    engine.x.forEach((_, i) => (engine.x[i] = ((i * 31) % 17) / 17));
    engine.y.forEach((_, i) => (engine.y[i] = i % 10));
    await engine.setWeights(weights);
    const extras = new Float32Array(evaluationCount);
    await engine.evaluate(m, extras);

    const specs: MetricSpec[] = [
      { name: 'right', of: 'accuracy' },
      { name: 'nearly', of: 'top5Accuracy' },
    ];
    const measured = await Metrics.create(model, { metrics: specs, path: 'mlp', labels: classNumbers });
    measured.rehearse();
    measured.setWeights(weights);
    const sums = new Float32Array(measured.count);
    measured.sums(engine, m, sums);
    assert.equal(sums[0], extras[1]);
    assert.ok(sums[1]! > sums[0]! && sums[1]! < m, String(sums[1]));
    engine.y.fill(0);
    measured.sums(engine, 10, sums);
    assert.ok(sums[1]! <= 10, 'only so many samples count');

    const errors: MetricSpec[] = [{ name: 'mae', of: 'meanAbsoluteError' }];
    const unfit = await Metrics.create(model, { metrics: errors, path: 'mlp', labels: classNumbers });
    assert.throws(() => unfit.rehearse(), {
      code: 'LOSS_MALFORMED',
      message:
        /^mlp: metrics\.mae returned nothing but an error, it needs labels of as many values as there are outputs/,
    });
  });
});
