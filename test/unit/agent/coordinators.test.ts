import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coordinators, type CoordinatorNeeds } from '../../../src/agent/coordinators.js';
import type { RunRecord } from '../../../src/transport/nats/run-ledger.js';
import { FakeClock } from '../fake-clock.js';

/** What an agent does with a run that another one had, whose coordinator is nowhere, and whose newest event is this. */
async function takeRun(
  event: object | undefined,
  more: object = {},
  listed: (run: RunRecord) => RunRecord[] = (run) => [run],
) {
  let run = { name: 'r', state: 'running', agent: 'lost', ...more } as unknown as RunRecord;
  let done = 0;
  let secrets: string | undefined = 'keys';
  const needs = {
    clock: new FakeClock(),
    ledger: {
      runs: { get: () => Promise.resolve({ value: run }) },
      nodes: { list: () => Promise.resolve([]) },
      admit: () => Promise.resolve(false),
      change: (_name: string, change: (now: RunRecord) => RunRecord) => {
        run = change(run);
        return Promise.resolve();
      },
      secrets: { delete: () => Promise.resolve(void (secrets = undefined)) },
    },
    commands: { coordinator: () => Promise.reject(new Error('a coordinator was to be started')) },
    newestEvent: () => Promise.resolve(event),
    hasJournal: () => Promise.resolve(true),
    watch: () => undefined,
    log: { info: () => undefined, warn: () => undefined },
  } as unknown as CoordinatorNeeds;
  const coordinators = new Coordinators(needs, { name: 'new', folder: '/nowhere', wallTimeMs: () => 1234 });
  coordinators.take({ run: 'r', keep: () => undefined, done: () => (done += 1) });
  await coordinators.tend(listed(run));
  await coordinators.tend(listed(run));
  return { run, done, secrets };
}

const finished = { type: 'finished', outcome: 'finished', steps: 600, weightsDigest: 'adb963' };

test('a run that ended while no agent saw it is over, and does not begin again', async () => {
  const { run, done, secrets } = await takeRun(finished);
  assert.equal(run.endedMs, 1234);
  assert.equal(secrets, undefined, 'nobody can take part in it any more');
  assert.deepEqual([run.state, run.why, run.weightsDigest], ['finished', 'finished after 600 steps', 'adb963']);
  assert.equal(done, 1, 'the queue is told once');
});

test('so is one that was to be stopped', async () => {
  const { run } = await takeRun({ ...finished, outcome: 'interrupted' }, { stop: true });
  assert.equal(run.state, 'stopped');
});

test('one that goes on, or that its host interrupted, gets a coordinator', async () => {
  for (const event of [undefined, { type: 'step' }, { ...finished, outcome: 'interrupted' }])
    await assert.rejects(takeRun(event), /a coordinator was to be started/);
});

test('one that comes from the queue after the runs were listed is not taken for one that is gone', async () => {
  const { run, done } = await takeRun(undefined, { state: 'submitted' }, () => []);
  assert.equal(run.state, 'queued');
  assert.equal(done, 0, 'the queue would forget it');
});
