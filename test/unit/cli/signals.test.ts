import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneRequestMs, onSignals } from '../../../src/cli/signals.js';

test('what a script passes on is no second request, a later signal is', (t) => {
  const heard: string[] = [];
  let ms = 5_000;
  const release = onSignals(
    (signal) => heard.push(signal),
    () => heard.push('at once'),
    () => ms,
  );
  t.after(release);
  process.emit('SIGTERM', 'SIGTERM');
  ms += oneRequestMs;
  process.emit('SIGTERM', 'SIGTERM');
  process.emit('SIGHUP', 'SIGHUP');
  assert.deepEqual(heard, ['SIGTERM']);
  ms += 1;
  process.emit('SIGINT', 'SIGINT');
  assert.deepEqual(heard, ['SIGTERM', 'at once']);
});
