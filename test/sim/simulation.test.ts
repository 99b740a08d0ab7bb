import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSeeds, seedsFrom, type SeedSummary } from './run-seeds.js';
import { scenarioOf } from './scenario.js';
import { simulate } from './simulation.js';

const seedCount = 300;

function assertNoFailures({ failures }: SeedSummary): void {
  const [first] = failures;
  const again =
    first && `seed ${first.seed}: ${first.message}\n(npm run sim -- --seed ${first.seed} shows it event by event)`;
  assert.equal(failures.length, 0, again);
}

test(`${seedCount} seeds of everything that can go wrong: no invariant is broken, and every run comes to its end`, () => {
  const { failures, outcomes, counts, events } = runSeeds(seedsFrom(0, seedCount));
  assertNoFailures({ failures, outcomes, counts, events });
  assert.ok(outcomes['ended']! > seedCount * 0.8, JSON.stringify(outcomes));
  for (const code of Object.keys(outcomes)) assert.match(code, /^(ended|NO_STATE_LEFT|INTERRUPTED)$/);
  const covered = ['kill', 'pause', 'leave', 'join', 'break', 'partition', 'crash', 'slow-disk', 'clock-jump', 'stop'];
  const ofCoordinators = ['pause coordinator', 'failed append', 'gave up: JOURNAL_FAILED', 'gave up: lease'];
  for (const what of [
    ...covered,
    ...ofCoordinators,
    'evaluated',
    'waiting',
    'caughtUp',
    'left',
    'dropped',
    'ranges moved',
    'copied',
  ])
    assert.ok((counts[what] ?? 0) > 2, `${what} hardly happened: ${JSON.stringify(counts)}`);
});

test('an undisturbed run takes one generation, and nobody is left behind', () => {
  const summary = runSeeds(
    seedsFrom(0, 200),
    { secondsPerSample: () => 1, targetStep: Infinity },
    (result, scenario) => {
      if (scenario.faults.length > 0) return;
      assert.deepEqual([result.outcome, result.finalStep], ['ended', scenario.lastStep]);
      assert.equal(result.generations, 1);
    },
  );
  assertNoFailures(summary);
});

test('where a lost worker is to fail the run, it ends by that name or as if nothing had happened', () => {
  const summary = runSeeds(seedsFrom(0, 150), { failOnLoss: true, minWorkers: 3, worldSize: 3, maxWorkers: 3 });
  assertNoFailures(summary);
  assert.ok(summary.outcomes['WORKER_LOST']! > 20, JSON.stringify(summary.outcomes));
  for (const code of Object.keys(summary.outcomes)) assert.match(code, /^(ended|WORKER_LOST|INTERRUPTED)$/);
});

test('a seed is the whole story: the same one gives the same run, event by event', () => {
  const told = [0, 1].map(() => {
    const lines: string[] = [];
    simulate(scenarioOf(7), undefined, (line) => lines.push(line));
    return lines;
  });
  assert.ok(told[0]!.length > 50);
  assert.deepEqual(told[0], told[1]);
});
