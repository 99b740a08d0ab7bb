import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coordinators, type CoordinatorNeeds } from '../../../src/agent/coordinators.js';
import type { RunRecord } from '../../../src/transport/nats/run-ledger.js';
import type { Charge } from '../../../src/transport/nats/work-queue.js';
import { FakeClock } from '../fake-clock.js';

/** What NATS has of one run, for agents that share it. */
class SharedRun {
  secrets: object | undefined = { ca: 'of the run' };
  /** Places in the queue: at most one, as the server sees to it. */
  readonly places = new Set<string>();
  done = 0;

  constructor(public run: RunRecord) {}

  agent(name: string, newestEvent?: object): Coordinators {
    const needs = {
      clock: new FakeClock(),
      ledger: {
        runs: { get: () => Promise.resolve({ value: this.run }) },
        nodes: { list: () => Promise.resolve([]) },
        admit: () => Promise.resolve(false),
        change: (_name: string, change: (now: RunRecord) => RunRecord) => {
          this.run = change(this.run);
          return Promise.resolve();
        },
        secrets: {
          create: (_name: string, secrets: object) => Promise.resolve(void (this.secrets ??= secrets)),
          delete: () => Promise.resolve(void (this.secrets = undefined)),
        },
      },
      queue: { put: (run: string) => Promise.resolve(void this.places.add(run)) },
      commands: { coordinator: () => Promise.reject(new Error('a coordinator was to be started')) },
      newestEvent: () => Promise.resolve(newestEvent),
      hasJournal: () => Promise.resolve(true),
      watch: () => undefined,
      log: { info: () => undefined, warn: () => undefined },
    } as unknown as CoordinatorNeeds;
    return new Coordinators(needs, { name, folder: '/nowhere', wallTimeMs: () => 1234 });
  }

  charge(): Charge {
    return { run: this.run.name, keep: () => undefined, done: () => (this.done += 1) };
  }
}

/** What an agent does with a run that another one had, whose coordinator is nowhere, and whose newest event is this. */
async function takeRun(
  event: object | undefined,
  more: object = {},
  listed: (run: RunRecord) => RunRecord[] = (run) => [run],
): Promise<SharedRun> {
  const shared = new SharedRun({ name: 'r', state: 'running', agent: 'lost', ...more } as RunRecord);
  const coordinators = shared.agent('new', event);
  coordinators.take(shared.charge());
  await coordinators.tend(listed(shared.run));
  await coordinators.tend(listed(shared.run));
  return shared;
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

test('a record is all that a launcher has to leave: one place in the queue, and one set of keys, come of it', async () => {
  const shared = new SharedRun({ name: 'r', state: 'submitted' } as RunRecord);
  shared.secrets = undefined;
  const [anna, bert] = [shared.agent('anna'), shared.agent('bert')];
  for (const each of [anna, bert, anna]) await each.tend([shared.run]);
  assert.deepEqual([...shared.places], ['r']);
  assert.equal(shared.run.state, 'submitted', 'until one of them is given it by the queue');

  anna.take(shared.charge());
  await anna.tend([shared.run]);
  assert.equal(shared.run.state, 'queued');
  const { secrets } = shared;
  assert.ok(secrets);
  shared.places.clear();
  for (const each of [anna, bert]) await each.tend([shared.run]);
  assert.deepEqual([...shared.places], [], "a run of which somebody had charge is the queue's own matter");

  shared.run = { ...shared.run, state: 'submitted' }; //              anna died before she had noted that it is queued
  bert.take(shared.charge());
  await bert.tend([shared.run]);
  assert.equal(shared.run.state, 'queued');
  assert.equal(shared.secrets, secrets, 'keys that somebody may have already');
});
