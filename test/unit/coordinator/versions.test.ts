import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerSessions } from '../../../src/coordinator/worker-sessions.js';
import { numericsVersion, protocolVersion } from '../../../src/core/versions.js';

const channel = { send: () => undefined, listen: () => undefined, close: () => undefined };
const ours = {
  kind: 'hello',
  workerId: 'w0',
  host: 'here',
  pid: 1,
  metricsAddress: '',
  protocolVersion,
  numericsVersion,
} as const;

test('a worker whose messages or numbers are of another version is refused by one line, and takes no place', () => {
  const sessions = new WorkerSessions('run', 1);
  const [older, newer] = [protocolVersion - 1, numericsVersion + 1];
  assert.throws(() => sessions.admit({ ...ours, protocolVersion: older }, channel), {
    code: 'VERSION_MISMATCH',
    message: `the worker has protocol version ${older}, the coordinator has ${protocolVersion}`,
  });
  assert.throws(() => sessions.admit({ ...ours, numericsVersion: newer }, channel), {
    code: 'VERSION_MISMATCH',
    message: `the worker has numerics version ${newer}, the coordinator has ${numericsVersion}`,
  });
  assert.equal(sessions.admit(ours, channel).hello.workerId, 'w0');
});
