import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Computed, ComputeJob } from '../../../src/engine/job.js';
import type { RunEngine } from '../../../src/worker/prepared-run.js';
import { WatchedEngine } from '../../../src/worker/watched-engine.js';
import { FakeClock } from '../fake-clock.js';

/** An engine that answers when the test says so, watched by a clock that the test moves. */
function watched() {
  const clock = new FakeClock();
  const answers: (() => void)[] = [];
  const stops: (() => void)[] = [];
  let stuck = 0;
  const engine = {
    name: 'native',
    compute: () => new Promise<Computed>((resolve) => answers.push(() => resolve({} as Computed))),
    stop: () => new Promise<void>((resolve) => stops.push(resolve)),
  } as unknown as RunEngine;
  const guard = new WatchedEngine(engine, {
    clock,
    microBatchSize: 10,
    where: () => ({ host: 'tern', rank: 2, step: 7 }),
    stuck: () => (stuck += 1),
  });
  const job = { purpose: 'gradient', range: { first: 4, end: 8 } } as ComputeJob;
  /** A job that is answered after so long. */
  const take = async (ms: number): Promise<Computed> => {
    const computing = guard.compute(job);
    clock.advance(ms);
    answers.pop()!();
    return computing;
  };
  return { clock, guard, job, take, stops, stuckTimes: () => stuck };
}

test('an engine that does not answer is named: rank, host, step, phase, micro-batches', async () => {
  const { clock, guard, job, take } = watched();
  await take(40); //                                                 a millisecond a sample
  const computing = guard.compute(job);
  clock.advance(19_000);
  assert.equal(clock.pendingTimers, 1, 'still patient');
  clock.advance(1_000);
  await assert.rejects(computing, {
    code: 'ENGINE_HUNG',
    message:
      'engine native of rank 2 on tern hangs in forward and backward of step 7: no answer for 20 s (micro-batches 4 to 7)',
  });
  assert.equal(clock.pendingTimers, 0);
});

test('the limit follows what jobs took, and the first one may take long', async () => {
  const { clock, guard, job, take } = watched();
  await take(99_000); //                                             of 60 s and a second for each of 40 samples
  await take(100);
  const computing = guard.compute(job);
  clock.advance(20 * 99_000 - 1_000);
  assert.equal(clock.pendingTimers, 1, 'twenty times the slowest');
  clock.advance(1_000);
  await assert.rejects(computing, { code: 'ENGINE_HUNG' });
});

test('time in which the process itself stood still does not count', async () => {
  const { clock, guard, job, take } = watched();
  await take(40);
  let settled = false;
  const computing = guard.compute(job).finally(() => (settled = true));
  clock.jump(3_600_000); //                                          a suspended machine
  await Promise.resolve();
  assert.equal(settled, false);
  clock.advance(20_000);
  await assert.rejects(computing, { code: 'ENGINE_HUNG' });
});

test('a thread that cannot be ended holds up nobody; one that works is waited for', async () => {
  const { clock, guard, job, take, stops, stuckTimes } = watched();
  await take(40);
  const computing = guard.compute(job);
  clock.advance(20_000);
  await assert.rejects(computing);
  const stopping = guard.stop();
  clock.advance(2_000);
  await stopping;
  assert.equal(stuckTimes(), 1);

  const other = watched();
  const ending = other.guard.stop();
  other.clock.advance(60_000);
  other.stops[0]!();
  await ending;
  assert.equal(other.stuckTimes(), 0);
  assert.equal(stops.length, 1);
});
