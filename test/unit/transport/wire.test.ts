import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FromWorker, Report } from '../../../src/cluster/session.js';
import { coordinatorService } from '../../../src/transport/grpc/definitions.js';
import { decodeFromWorker, encodeFromWorker } from '../../../src/transport/grpc/wire.js';

/** There and back, through the bytes on the wire. */
function overTheWire(message: FromWorker): unknown {
  const { requestSerialize, requestDeserialize } = coordinatorService.Join;
  return decodeFromWorker('w0', requestDeserialize(requestSerialize(encodeFromWorker('r1', message))));
}

const report: Report = {
  kind: 'progress',
  workerId: 'w0',
  generation: { term: 2, number: 3 },
  finishedStep: 9,
  sealed: { term: 2, number: 3 },
  steps: [],
  evaluations: [{ step: 9, epoch: 0, testLoss: 0.1, testAccuracy: 0.5, best: true }],
};

test('a report brings what it says, and a checkpoint only if there is one', () => {
  assert.deepEqual(overTheWire(report), report);
  assert.deepEqual(overTheWire({ ...report, checkpointStep: 5 }), { ...report, checkpointStep: 5 });
});

test('a heartbeat brings the clock and the steps of its sender', () => {
  const seconds = { compute: 0.5, wait: 0.25, exchange: 0.125, update: 0.0625 };
  const timings = [
    { step: 4, beginMs: 12_345.678, seconds, slowestRank: 2 },
    { step: 5, beginMs: 13_283.178, seconds, slowestRank: -1 },
  ];
  const heartbeat: FromWorker = { kind: 'heartbeat', sentAtMs: 14_000.25, timings };
  assert.deepEqual(overTheWire(heartbeat), heartbeat);
});
