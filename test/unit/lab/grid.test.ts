import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldName } from '../../../src/config/schema.js';
import { gridOf } from '../../../src/lab/grid.js';
import { Patience } from '../../../src/lab/hopeless.js';
import { presets, withPreset } from '../../../src/lab/presets.js';
import { planSweep } from '../../../src/lab/sweep.js';

const flags = (given: Partial<Record<FieldName, string>>) => new Map(Object.entries(given) as [FieldName, string][]);

describe('the grid', () => {
  it('is every combination, the batch fastest, and names only what varies', () => {
    const points = gridOf(flags({ learningRate: '0.1,0.2', globalBatchSize: '64, 128', seed: '3' }));
    assert.deepEqual(
      points.map(({ axes }) => axes),
      ['0.1', '0.2'].flatMap((lr) => ['64', '128'].map((batch) => ({ lr, 'global-batch': batch }))),
    );
    assert.equal(points[0]!.flags.get('seed'), '3');
  });

  it('refuses an empty place, and more than anybody waits for', () => {
    assert.throws(() => gridOf(flags({ globalBatchSize: '64,,128' })), { code: 'GRID_VALUE' });
    const many = Array.from({ length: 150 }, (_, i) => i + 1).join(',');
    assert.throws(() => gridOf(flags({ seed: many, workers: many })), { code: 'GRID_TOO_LARGE' });
  });
});

describe('a plan', () => {
  it('names each trial by all that decides its result, and by nothing else', () => {
    const plan = (given: Partial<Record<FieldName, string>>, target?: number) => planSweep(flags(given), {}, target);
    const [first, second] = plan({ globalBatchSize: '64,128', epochs: '2' });
    assert.notEqual(first!.key, second!.key);
    assert.equal(plan({ globalBatchSize: '64', epochs: '2' })[0]!.key, first!.key);
    assert.notEqual(plan({ globalBatchSize: '64', epochs: '2' }, 0.9)[0]!.key, first!.key);
    assert.equal(first!.config.workers, 1);
  });

  it('is checked as train checks its options, before anything is started', () => {
    assert.throws(() => planSweep(flags({ globalBatchSize: '64,70', microBatchSize: '32' }), {}, undefined), {
      code: 'BATCH_NOT_MULTIPLE',
    });
  });

  for (const [name, preset] of Object.entries(presets))
    it(`exists for preset ${name}`, () => {
      const planned = planSweep(withPreset(preset, new Map()), {}, undefined);
      assert.ok(planned.length >= 3);
      assert.equal(new Set(planned.map(({ key }) => key)).size, planned.length);
    });

  it('what is given is stronger than a preset, and puts its rival out of force', () => {
    const given = withPreset(presets.seed, flags({ batchPerWorker: '128', steps: '5' }));
    assert.deepEqual([given.has('globalBatchSize'), given.has('epochs'), given.get('steps')], [false, false, '5']);
  });
});

describe('patience', () => {
  const after = (accuracy: number, steps: number, sampleCount = 100) => {
    const patience = new Patience({ samples: 20_000, chance: 0.1 });
    for (let i = 0; i < steps; i++) patience.add(sampleCount, accuracy);
    return patience.isOver;
  };

  it('ends for a trial that only guesses, after its samples and after its steps', () => {
    assert.equal(after(0.11, 199), false);
    assert.equal(after(0.11, 200), true);
    assert.equal(after(NaN, 200), true);
    assert.equal(after(0.11, 100, 5000), false, 'so few updates are nobody to judge by');
    assert.equal(after(0.2, 1000), false);
  });

  it('looks at what was answered lately', () => {
    const patience = new Patience({ samples: 20_000, chance: 0.1 });
    for (let i = 0; i < 200; i++) patience.add(100, 0.9);
    assert.equal(patience.isOver, false);
    for (let i = 0; i < 50; i++) patience.add(100, 0.1);
    assert.equal(patience.isOver, true);
  });

  it('is without end where nothing is to be given up', () => {
    const patience = new Patience({ samples: 0, chance: 0.1 });
    for (let i = 0; i < 2000; i++) patience.add(1000, 0);
    assert.equal(patience.isOver, false);
  });
});
