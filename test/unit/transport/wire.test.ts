import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Begin } from '../../../src/cluster/messages.js';
import type { FromWorker, Report } from '../../../src/cluster/session.js';
import type { StepRecord } from '../../../src/core/events.js';
import { BeginEncoder, decodeChange } from '../../../src/transport/grpc/begin-codec.js';
import { coordinatorService } from '../../../src/transport/grpc/definitions.js';
import type { CoordinatorMessage__Output } from '../../../src/transport/grpc/generated/lockstep/v1/CoordinatorMessage.js';
import { decodeFromCoordinator, decodeFromWorker, encodeFromWorker } from '../../../src/transport/grpc/wire.js';

/** There and back, through the bytes on the wire. */
function overTheWire(message: FromWorker): unknown {
  const { requestSerialize, requestDeserialize } = coordinatorService.Join;
  return decodeFromWorker('w0', requestDeserialize(requestSerialize(encodeFromWorker('r1', message))));
}

function beginOf(number: number, names: readonly string[]): Begin {
  return {
    kind: 'begin',
    generation: { term: 1, number },
    members: names.map((workerId) => ({ workerId, address: `${workerId}.example:7071` })),
    shares: names.map(() => 1),
    donor: 0,
    afterStep: 0,
    lastStep: 40,
  };
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

const step: StepRecord = {
  ...{ step: 9, epoch: 0, loss: 0.5, accuracy: 0.25, learningRate: 0.1, globalBatchSize: 8, sampleCount: 8 },
  ...{ worldSize: 1, generation: 3, gradientNorm: 2, skipped: false },
  seconds: { compute: 1, wait: 0, exchange: 0, update: 0 },
};

test('a report brings what it says, and a checkpoint only if there is one', () => {
  assert.deepEqual(overTheWire(report), report);
  assert.deepEqual(overTheWire({ ...report, checkpointStep: 5 }), { ...report, checkpointStep: 5 });
});

test('a run without accuracy has none at the other end, either, and metrics keep their names', () => {
  const evaluations = [{ ...report.evaluations[0]!, testAccuracy: null }];
  for (const told of [
    { ...report, steps: [step] },
    { ...report, steps: [{ ...step, accuracy: null }], evaluations },
    { ...report, evaluations: [{ ...report.evaluations[0]!, metrics: { mae: 0.25, top5: 1 } }] },
  ])
    assert.deepEqual(overTheWire(told), told);
});

test('a heartbeat brings the clock and the steps of its sender', () => {
  const seconds = { compute: 0.5, wait: 0.25, exchange: 0.125, update: 0.0625 };
  const timings = [
    { step: 4, beginMs: 12_345.678, seconds, slowestRank: 2 },
    { step: 5, beginMs: 13_283.178, seconds: { ...seconds, input: 0.375 }, slowestRank: -1 },
  ];
  const heartbeat: FromWorker = { kind: 'heartbeat', sentAtMs: 14_000.25, timings };
  assert.deepEqual(overTheWire(heartbeat), heartbeat);
});

test('a Begin is told by what has changed since the last one on the stream, and arrives as the same', () => {
  const first = beginOf(1, 'abcdefgh'.split(''));
  const later: readonly Begin[] = [
    first,
    beginOf(2, 'abdefgh'.split('')),
    { ...beginOf(3, [...'bdegh', 'new']), donor: 2, afterStep: 7 },
    { ...beginOf(4, [...'bdegh', 'new']), shares: [1, 2, 3, 4, 5, 6], globalBatchSize: 96 },
    beginOf(5, ['new', ...'hgedb']), //                              another order
    beginOf(
      6,
      [...'hgedb'].map((name) => `${name}2`),
    ), //           nobody is left
    beginOf(7, ['b2']),
  ];
  const encoder = new BeginEncoder('r1');
  let before: Begin | undefined;
  let known: Begin | undefined;
  const sizes: number[] = [];
  for (const begin of later) {
    const bytes = encoder.encode(begin, before);
    assert.equal(encoder.encode(begin, before), bytes, 'encoded once');
    const wire: CoordinatorMessage__Output = coordinatorService.Join.responseDeserialize(bytes);
    const arrived: unknown = wire.change ? decodeChange(known, wire.change) : decodeFromCoordinator(wire);
    assert.deepEqual(arrived, begin);
    [before, known] = [begin, arrived];
    sizes.push(bytes.byteLength);
  }
  assert.ok(sizes[1]! < sizes[0]! / 2, sizes.join());
});

test('a change of a Begin that is not known means nothing', () => {
  const [first, second, third] = [1, 2, 3].map((number) => beginOf(number, ['a', 'b']));
  const { change } = coordinatorService.Join.responseDeserialize(new BeginEncoder('r1').encode(third!, second));
  assert.equal(decodeChange(undefined, change!), undefined);
  assert.equal(decodeChange(first, change!), undefined);
  assert.deepEqual(decodeChange(second, change!), third);
});
