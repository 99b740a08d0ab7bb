import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingCoordinator } from '../../../src/cli/coordinate/pending-coordinator.js';
import { Teardown } from '../../../src/cli/teardown.js';
import type { Coordinator } from '../../../src/coordinator/coordinator.js';

test('who calls before the coordinator is there is heard when it is, in order', async () => {
  const pending = new PendingCoordinator();
  const heard: string[] = [];
  const coordinator = { phase: 'gathering', stop: (reason: string) => heard.push(reason) } as unknown as Coordinator;
  pending.whenThere((there) => there.stop('first'));
  pending.whenThere((there) => there.stop('second'));
  await new Promise(setImmediate);
  assert.deepEqual(heard, []);
  pending.begin(coordinator);
  pending.whenThere((there) => there.stop('third'));
  await new Promise(setImmediate);
  assert.deepEqual(heard, ['first', 'second', 'third']);
});

test('health follows the run: nobody is sent to one that starts, drains or has ended, and only a failed one is ill', () => {
  const coordinator = { phase: 'gathering' };
  const pending = new PendingCoordinator();
  const said: unknown[] = [];
  const look = (): void => void said.push(Object.values(pending.health));
  look();
  pending.begin(coordinator as Coordinator);
  look();
  coordinator.phase = 'running';
  look();
  pending.drain();
  look();
  coordinator.phase = 'ended';
  look();
  coordinator.phase = 'failed';
  look();
  assert.deepEqual(said, [
    [true, false, 'starting'],
    [true, true, 'gathering'],
    [true, true, 'running'],
    [true, false, 'stopping'],
    [true, false, 'ended'],
    [false, false, 'failed'],
  ]);
});

test('what was opened last is closed first, each before the next, and once', async () => {
  const teardown = new Teardown();
  const closed: string[] = [];
  teardown.later(() => closed.push('first'));
  teardown.later(async () => {
    await new Promise(setImmediate);
    closed.push('second');
  });
  await teardown.run();
  await teardown.run();
  assert.deepEqual(closed, ['second', 'first']);
});
