import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate, type SimulationOptions } from './membership-simulation.js';

/** A failing seed is in the message; `simulate` with it repeats the run. */
function forSeeds(
  count: number,
  optionsOf: (seed: number) => Omit<SimulationOptions, 'seed'>,
  check: (result: ReturnType<typeof simulate>, seed: number) => void,
) {
  for (let seed = 0; seed < count; seed++) {
    try {
      check(simulate({ seed, ...optionsOf(seed) }), seed);
    } catch (error) {
      throw new Error(`seed ${seed} with ${JSON.stringify(optionsOf(seed))}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

test('an undisturbed run takes one generation, and everybody ends at the last step', () => {
  forSeeds(
    100,
    (seed) => ({ worldSize: 1 + (seed % 5), minWorkers: 1 + (seed % 5), lastStep: 4, kills: 0, stop: false }),
    ({ outcome, finalSteps, generations }) => {
      assert.equal(outcome, 'ended');
      assert.equal(generations, 1);
      assert.deepEqual(new Set(finalSteps), new Set([4]));
    },
  );
});

test('a stop at any moment ends the run with all members at one step', () => {
  let early = 0;
  forSeeds(
    400,
    (seed) => ({ worldSize: 1 + (seed % 4), minWorkers: 1 + (seed % 4), lastStep: 5, kills: 0, stop: true }),
    ({ outcome, failure, finalSteps }) => {
      if (outcome === 'failed') assert.equal(failure, 'INTERRUPTED');
      assert.equal(new Set(finalSteps).size, 1);
      if (outcome === 'ended' && finalSteps[0]! < 5) early += 1;
    },
  );
  assert.ok(early > 50, `only ${early} of the stops came in the middle of a run`);
});

test('with all workers needed, a lost one ends the run with its name', () => {
  let lost = 0;
  forSeeds(
    300,
    (seed) => ({ worldSize: 2 + (seed % 3), minWorkers: 2 + (seed % 3), lastStep: 5, kills: 1, stop: false }),
    ({ outcome, failure, killsDone }) => {
      if (outcome === 'failed') assert.ok(failure === 'WORKER_LOST' || failure === 'WORKERS_MISSING', failure);
      if (killsDone > 0 && outcome === 'failed') lost += 1;
    },
  );
  assert.ok(lost > 50, `only ${lost} of the kills came in the middle of a run`);
});

test('with fewer workers needed, survivors carry on: no finished step is lost, and all end at the last one', () => {
  let carriedOn = 0;
  forSeeds(
    600,
    (seed) => ({ worldSize: 3 + (seed % 3), minWorkers: 1, lastStep: 5, kills: 2, stop: seed % 4 === 0 }),
    ({ outcome, failure, finalSteps, generations, stopped }) => {
      if (outcome === 'failed') {
        assert.ok(['INTERRUPTED', 'NO_STATE_LEFT', 'WORKERS_MISSING'].includes(failure!), failure);
        return;
      }
      assert.equal(new Set(finalSteps).size, 1);
      if (!stopped) assert.equal(finalSteps[0], 5);
      if (generations > 1) carriedOn += 1;
    },
  );
  assert.ok(carriedOn > 100, `only ${carriedOn} runs had to carry on`);
});
