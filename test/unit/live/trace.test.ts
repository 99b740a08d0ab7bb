import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TraceFile } from '../../../src/live/trace.js';

test('a trace is what Chrome and Perfetto read: phases one after the other, a lane a worker, moments across all', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-trace-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'trace.json');
  const trace = await TraceFile.create(path);
  trace.steps([
    { worker: 'a', step: 3, beginMs: 100, ms: [2, 1, 0.5, 0.25], slowest: 'b' },
    { worker: 'b', step: 3, beginMs: 100.5, ms: [2.5, 0, 0.5, 0.25], slowest: undefined },
  ]);
  const time = '2026-01-01T00:00:00.000Z';
  trace.event(
    { schema: 1, sequence: 1, time, run: 'r', type: 'left', worker: 'b', cause: 'silence', reason: 'x' },
    104,
  );
  await trace.close();
  const events = JSON.parse(await readFile(path, 'utf8')) as readonly Record<string, unknown>[];
  const named = (event: Record<string, unknown>) => event['ph'] === 'M' && (event['args'] as { name: string }).name;
  assert.deepEqual(events.map(named).filter(Boolean), ['run', 'a', 'b']);
  const ofA = events.filter(({ ph, pid }) => ph === 'X' && pid === 1);
  assert.deepEqual(
    ofA.map(({ name, ts, dur }) => [name, ts, dur]),
    [
      ['compute', 100_000, 2_000],
      ['wait', 102_000, 1_000],
      ['exchange', 103_000, 500],
      ['update', 103_500, 250],
    ],
  );
  assert.deepEqual(ofA[1]?.['args'], { step: 3, for: 'b' });
  assert.equal(events.filter(({ ph, pid }) => ph === 'X' && pid === 2).length, 3, 'no wait, no bar');
  const moment = events.find(({ ph }) => ph === 'i');
  assert.deepEqual(moment, {
    name: 'left',
    ph: 'i',
    pid: 0,
    tid: 0,
    ts: 104_000,
    s: 'g',
    args: { worker: 'b', cause: 'silence', reason: 'x' },
  });
});

test('a trace that cannot be made is an error, before anything is started', async () => {
  await assert.rejects(
    TraceFile.create(join(tmpdir(), 'no', 'such', 'folder', 'trace.json')),
    /cannot write --trace .*ENOENT/,
  );
});
