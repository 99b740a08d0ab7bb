import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LogTail } from '../../../src/agent/log-tail.js';
import { Program } from '../../../src/agent/programs.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-programs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const note = { run: 'r', kind: 'worker', place: 3, slot: 0 } as const;

test('a program is found again while it lives, and forgotten when it has ended', async () => {
  // It waits for a coordinator that never comes.
  const args = ['worker', '--coordinator', '127.0.0.1:1', '--metrics-port', '0', '--join-timeout', '600'];
  const program = Program.start(folder, note, args);
  assert.equal(program.who, 'worker-3');
  const [found] = Program.find(folder);
  assert.deepEqual(found?.note, program.note);
  assert.equal(found?.ended(), undefined);
  program.signal('SIGKILL');
  while (program.ended() === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(program.ended(), { code: null, signal: 'SIGKILL' });
  assert.equal(found?.ended(), 'unknown');
  assert.deepEqual(Program.find(folder), []);
  assert.deepEqual(readdirSync(folder), ['r.worker-3.log'], 'its note is gone, its log is not');
});

test('another process with the same id is not taken for it', { skip: process.platform !== 'linux' }, () => {
  const path = join(folder, 'r.worker-4.pid');
  writeFileSync(path, JSON.stringify({ ...note, place: 4, pid: process.pid, started: '1' }));
  writeFileSync(join(folder, 'r.worker-5.pid'), '{"pid":');
  assert.deepEqual(Program.find(folder), []);
  assert.ok(!existsSync(path));
});

test('a log is passed on in whole lines, each once', () => {
  const path = join(folder, 'some.log');
  const tail = new LogTail(path);
  assert.equal(tail.next(), undefined);
  writeFileSync(path, 'one\ntwo\nthr');
  assert.equal(tail.next()?.text, 'one\ntwo\n');
  const again = tail.next();
  assert.equal(again?.text, 'one\ntwo\n', 'it was not taken');
  again?.taken();
  assert.equal(tail.next(), undefined);
  appendFileSync(path, 'ee\n');
  assert.equal(new LogTail(path, 'end').next(), undefined);
  const rest = tail.next();
  assert.equal(rest?.text, 'three\n');
});
