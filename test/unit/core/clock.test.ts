import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { FakeClock } from '../fake-clock.js';

describe('clocks', () => {
  it('the fake fires timers in order, each at its own time, those set on the way included', () => {
    const clock = new FakeClock(100);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name}@${clock.nowMs()}`);
    clock.setTimer(30, note('c'));
    clock.setTimer(10, () => {
      note('a')();
      clock.setTimer(5, note('b'));
    });
    const cancel = clock.setTimer(20, note('never'));
    cancel();
    clock.setTimer(30, note('d'));
    assert.equal(clock.nextDueMs, 110);
    clock.advance(29);
    assert.deepEqual(fired, ['a@110', 'b@115']);
    clock.advance(1);
    assert.deepEqual(fired, ['a@110', 'b@115', 'c@130', 'd@130']);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(clock.nowMs(), 130);
  });

  it("the system's never goes back, fires, and does not fire what was cancelled", async () => {
    const before = systemClock.nowMs();
    let cancelledFired = false;
    systemClock.setTimer(0, () => (cancelledFired = true))();
    await new Promise<void>((resolve) => systemClock.setTimer(1, resolve));
    assert.ok(systemClock.nowMs() >= before);
    assert.equal(cancelledFired, false);
  });
});
