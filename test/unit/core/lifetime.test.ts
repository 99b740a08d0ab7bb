import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lifetime } from '../../../src/core/lifetime.js';
import { FakeClock } from '../fake-clock.js';

test('a lifetime ends with the first of finish and fail', async () => {
  const finished = new Lifetime(new FakeClock());
  assert.equal(finished.isOver, false);
  finished.finish();
  finished.fail(new Error('too late'));
  await finished.wait();
  assert.equal(finished.isOver, true);

  const failed = new Lifetime(new FakeClock());
  failed.fail(new Error('first'));
  failed.fail(new Error('second'));
  await assert.rejects(failed.wait(), /first/);
});

test('what is thrown inside is a failure, also from timers and promises', async () => {
  const clock = new FakeClock();
  for (const breakIt of [
    (life: Lifetime) => life.guard(() => assert.fail('thrown')),
    (life: Lifetime) => void life.guardAsync(Promise.reject(new Error('thrown'))),
    (life: Lifetime) => life.after(10, () => assert.fail('thrown')),
  ]) {
    const life = new Lifetime(clock);
    breakIt(life);
    clock.advance(10);
    await assert.rejects(life.wait(), /thrown/);
  }
});

test('timers end with the lifetime', async () => {
  const clock = new FakeClock();
  const life = new Lifetime(clock);
  const calls: string[] = [];
  life.after(10, () => calls.push('before'));
  life.after(100, () => calls.push('after'));
  clock.advance(50);
  life.finish();
  await life.wait();
  clock.advance(500);
  assert.deepEqual(calls, ['before']);
});
