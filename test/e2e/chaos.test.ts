import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { play, type Fault } from './chaos.js';
import { workshop } from './lockstep.js';

/** One of the runs of bench/chaos.ts, with one fault of each kind that a run survives. */

const place = workshop({ after });
const steps = 150;
const spec = ['--steps', String(steps), '--global-batch', '256', '--micro-batch', '32', '--seed', '7'];
const environment = { LOCKSTEP_CACHE_DIR: place.path('cache') };
const faults: readonly Fault[] = [
  { step: 10, kind: 'kill' },
  { step: 25, kind: 'add' },
  { step: 40, kind: 'stop' },
  { step: 60, kind: 'add' },
  { step: 90, kind: 'coordinator' },
];

test('workers killed, stopped and added, the coordinator killed: the weights of the run that nobody disturbed', async () => {
  const common = { spec, steps, environment, minWorkers: 1 };
  const whereOf = (name: string) => ({ out: place.path(name), logs: place.path(`${name}-logs`) });
  const undisturbed = await play({ ...common, ...whereOf('undisturbed'), workers: 1, faults: [] });
  const disturbed = await play({ ...common, ...whereOf('disturbed'), workers: 3, faults });
  assert.deepEqual(disturbed.unfired, [], 'every planned fault must happen');
  assert.ok(disturbed.restored > 0, 'a coordinator took over');
  assert.ok(undisturbed.digest !== undefined);
  assert.equal(disturbed.digest, undisturbed.digest);
});
