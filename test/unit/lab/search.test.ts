import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldName } from '../../../src/config/schema.js';
import { randomStream } from '../../../src/core/random.js';
import { methods, type MethodName } from '../../../src/lab/search/method.js';
import { checkSpace, flagsAt, parseDimension, valueAt } from '../../../src/lab/search/space.js';

/** Best value after so many generations on a valley whose floor is at (0.3, 0.3, ...). */
function bestOf(method: MethodName, seed: number, generations = 12, dimensions = 4): number {
  const search = methods[method]({ dimensions, population: 8, random: randomStream(seed, method) });
  let best = -Infinity;
  for (let g = 0; g < generations; g++) {
    const scores = search.propose().map((place) => {
      assert.ok(place.length === dimensions && place.every((x) => x >= 0 && x <= 1), String(place));
      return -place.reduce((sum, x) => sum + (x - 0.3) * (x - 0.3), 0);
    });
    search.learn(scores);
    best = Math.max(best, ...scores);
  }
  return best;
}

describe('the methods', () => {
  it('a swarm and a genetic algorithm beat chance at equal trials, mean of ten seeds', () => {
    const mean = (method: MethodName): number => {
      const seeds = Array.from({ length: 10 }, (_, seed) => bestOf(method, seed));
      return seeds.reduce((sum, value) => sum + value, 0) / seeds.length;
    };
    const chance = mean('random');
    assert.ok(mean('pso') > chance / 4, `${mean('pso')} against ${chance}`);
    assert.ok(mean('ga') > chance / 2, `${mean('ga')} against ${chance}`);
  });

  for (const method of Object.keys(methods) as MethodName[]) {
    it(`${method} is a function of its seed`, () => {
      assert.equal(bestOf(method, 3), bestOf(method, 3));
      assert.notEqual(bestOf(method, 3), bestOf(method, 4));
    });

    it(`${method} goes on where every trial failed`, () => {
      const search = methods[method]({ dimensions: 2, population: 5, random: randomStream(1) });
      for (let g = 0; g < 3; g++) {
        assert.equal(search.propose().length, 5);
        search.learn(new Array<number>(5).fill(-Infinity));
      }
    });
  }
});

describe('the space', () => {
  it('reads bounds, scale and step', () => {
    const rate = parseDimension('lr=0.001..10:log');
    assert.deepEqual(
      [0, 0.5, 1].map((x) => valueAt(rate, x)),
      [0.001, 0.1, 10],
    );
    const batch = parseDimension('global-batch=32..500:log,step=32');
    assert.deepEqual(
      [0, 0.5, 1].map((x) => valueAt(batch, x)),
      [32, 128, 480],
    );
    assert.equal(valueAt(parseDimension('momentum=0..0.98'), 0.5), 0.49);
  });

  it('refuses what makes no sense', () => {
    for (const text of ['lr', 'lr=1..0.1', 'lr=0..1:log', 'lr=0..1:cube', 'lr=0..1:step=1,step=2', '=0..1'])
      assert.throws(() => parseDimension(text), { code: 'SPACE_INVALID' }, text);
    assert.throws(() => checkSpace([parseDimension('epochs=1..5')]), { code: 'SPACE_INVALID' });
    checkSpace(['lr=0.1..1', 'momentum=0..0.9', 'global-batch=8..64'].map(parseDimension));
  });

  it('is what train would be given', () => {
    const space = ['lr=0..1', 'momentum=0..1'].map(parseDimension);
    const given = new Map<FieldName, string | readonly string[]>([
      ['epochs', '2'],
      ['optimizerOptions', ['weightDecay=0.1']],
    ]);
    assert.deepEqual(Object.fromEntries(flagsAt(given, space, [0.25, 0.5])), {
      epochs: '2',
      learningRate: '0.25',
      optimizerOptions: ['weightDecay=0.1', 'momentum=0.5'],
    });
  });
});
