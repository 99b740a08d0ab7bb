import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SilenceJudge } from '../../../src/cluster/silence.js';

test('a worker is lost after the time-out, and named once', () => {
  const judge = new SilenceJudge(2000, 500);
  judge.heard('a', 0);
  judge.heard('b', 0);
  for (const nowMs of [0, 500, 1000, 1500]) {
    judge.heard('b', nowMs);
    assert.deepEqual(judge.judge(nowMs), []);
  }
  assert.deepEqual(judge.judge(2000), [{ workerId: 'a', silentMs: 2000 }]);
  assert.deepEqual(judge.judge(2500), []);
});

test('silence while the judge itself was not running does not count', () => {
  const judge = new SilenceJudge(2000, 500);
  judge.heard('a', 0);
  judge.judge(0);
  judge.judge(500);
  assert.deepEqual(judge.judge(60_000), [], 'the judge was stopped for a minute');
  for (let nowMs = 60_500; nowMs < 62_000; nowMs += 500) assert.deepEqual(judge.judge(nowMs), []);
  assert.deepEqual(judge.judge(62_000), [{ workerId: 'a', silentMs: 2000 }]);
});

test('who left is not missed', () => {
  const judge = new SilenceJudge(1000, 500);
  judge.heard('a', 0);
  judge.forget('a');
  judge.judge(500);
  judge.judge(1000);
  assert.deepEqual(judge.judge(1500), []);
});
