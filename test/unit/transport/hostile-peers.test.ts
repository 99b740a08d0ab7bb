import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { AllReduce } from '../../../src/collective/all-reduce.js';
import { Abandoned } from '../../../src/collective/faults.js';
import { writeHeader, type Frame } from '../../../src/collective/frame.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import type { Begin } from '../../../src/cluster/messages.js';
import { frameBytes, writeFrame, type Envelope } from '../../../src/transport/grpc/frame-codec.js';
import { beginAnswer, withPrefix } from '../../../src/transport/grpc/grpc-http2.js';
import { GrpcLink } from '../../../src/transport/grpc/grpc-link.js';
import { messageBytesMax } from '../../../src/transport/grpc/message-assembler.js';
import { Outlet } from '../../../src/transport/grpc/outlet.js';
import { PullStream } from '../../../src/transport/grpc/pull-stream.js';
import { runKeyOf } from '../../../src/transport/grpc/run-key.js';
import { FakeClock } from '../fake-clock.js';

const length = 64;
const round = { generation: 3, step: 7, purpose: 'gradient' } as const;
const header: Frame = { kind: 'header', round, slice: 0, node: 0, payload: writeHeader({ count: 2, length }) };
/** Of a mesh of two, slice 0 is ours to add, and slice 1 theirs. */
const nodes: Frame = { kind: 'nodes', round, slice: 0, node: 0, payload: new Uint8Array((length / 2) * 4) };

/** Frames as an honest peer would write them, one after the other; `with` changes what a frame says of itself. */
function stream(frames: readonly (Frame & { readonly with?: Partial<Envelope> })[], checksum = false): Buffer[] {
  return frames.map(({ with: changed, ...frame }, sequence) => {
    const bytes = Buffer.alloc(frameBytes(frame));
    writeFrame(frame, { runKey: runKeyOf('run'), sequence, checksum, ...changed }, bytes);
    return withPrefix(bytes);
  });
}

/** What rank 0 makes of a peer that answers its call with these bytes. */
async function outcomeOf(t: TestContext, answer: readonly Buffer[], { checksum = false, ends = false } = {}) {
  const server = createServer();
  const calls: ServerHttp2Stream[] = [];
  server.on('stream', (call) => {
    calls.push(call);
    call.on('error', () => undefined);
    beginAnswer(call);
    for (const bytes of answer) call.write(bytes);
    if (ends) call.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const members = ['127.0.0.1:1', address].map((at, i) => ({ workerId: `w${i}`, address: at }));
  const begin: Begin = {
    ...{ kind: 'begin', generation: { term: 1, number: 3 }, members, shares: [1, 1] },
    ...{ donor: 0, afterStep: 6, lastStep: 9 },
  };
  let resolve!: (what: string) => void;
  const told = new Promise<string>((resolver) => (resolve = resolver));
  const link = new GrpcLink(
    { rank: 0, runId: 'run', begin, checksum, clock: new FakeClock() },
    {
      peerGone: (rank, reason) => resolve(`gone: rank ${rank}: ${reason}`),
      violated: (error) => resolve(`${(error as Error & { code?: string }).code}: ${error.message}`),
    },
  );
  t.after(() => {
    link.close('test over');
    for (const call of calls) call.session?.destroy();
    server.close();
  });
  const needs = { link, workspace: new Workspace(plainVectors), nowMs: () => 0 };
  const allReduce = new AllReduce(needs, { topology: 'mesh', length, exactTail: 0 });
  const ranges = [
    { first: 0, end: 1 },
    { first: 1, end: 2 },
  ];
  const reduction = allReduce.open({ round, ranges, count: 2, sum: new Float32Array(length) });
  reduction.add({ first: 0, end: 1, values: new Float32Array(length) });
  const finished = reduction.finish();
  finished.catch(() => undefined);
  const path = '/lockstep.v1.Exchange/Pull';
  link.open((peer, events) => new PullStream({ address: peer, path, request: Buffer.of() }, events));
  const what = await told;
  if (!what.startsWith('gone')) await assert.rejects(finished, Abandoned); //  no step is computed from it
  return what.replaceAll(address, 'ADDRESS');
}

const at = 'rank 1 at ADDRESS sent a frame that cannot be read, at step 7 of generation 3: ';
const flipped = stream([header, nodes], true);
flipped[1]![5 + 100]! ^= 4;
const oversized = Buffer.alloc(5);
oversized.writeUInt32BE(messageBytesMax + 1, 1);
const compressed = Buffer.from(stream([header])[0]!);
compressed[0] = 1;

const cases: readonly (readonly [string, Buffer[], string | RegExp, { checksum?: boolean; ends?: boolean }?])[] = [
  [
    'another run',
    stream([{ ...header, with: { runKey: runKeyOf('other') } }]),
    `FRAME_UNREADABLE: ${at}it belongs to another run`,
  ],
  [
    'a generation that is over',
    stream([{ ...header, round: { ...round, generation: 2 } }]),
    'STALE_ROUND: rank 1 sent step 7 of generation 2, but we are at step 7 of generation 3',
  ],
  [
    'a step that is over',
    stream([{ ...header, round: { ...round, step: 6 } }]),
    'STALE_ROUND: rank 1 sent step 6 of generation 3, but we are at step 7 of generation 3',
  ],
  [
    'another model',
    stream([{ ...header, payload: writeHeader({ count: 2, length: 65 }) }]),
    'ROUND_MISMATCH: rank 1 has 65 elements in step 7 of generation 3, where we have 64',
  ],
  [
    'a wrong length',
    stream([header, { ...nodes, payload: new Uint8Array(124) }]),
    'FRAME_REFUSED: rank 1 sent a frame for step 7 of generation 3 that is refused: slice 0 has 128 bytes on the wire, not 124',
  ],
  [
    'a slice that is not ours',
    stream([header, { ...nodes, slice: 1 }]),
    /^FRAME_REFUSED: .* slice 1 is not ours to add$/,
  ],
  [
    'a slice that does not exist',
    stream([header, { ...nodes, slice: 9 }]),
    /^FRAME_REFUSED: .* slice 9 is not ours to add$/,
  ],
  ['a node that does not exist', stream([header, { ...nodes, node: 1 }]), /^FRAME_REFUSED: .* it has no node 1$/],
  [
    'a sum that we make',
    stream([header, { ...nodes, kind: 'sum' }]),
    /^FRAME_REFUSED: .* slice 0 is not theirs to sum$/,
  ],
  ['a node twice', stream([header, nodes, nodes]), /^FRAME_REFUSED: .* node 0 of its slice came before$/],
  ['a header twice', stream([header, header]), /^FRAME_REFUSED: .* its header came before$/],
  [
    'a frame twice',
    stream([header, { ...nodes, with: { sequence: 0 } }]),
    `FRAME_UNREADABLE: ${at}it is number 0 on its stream where 1 is next`,
  ],
  [
    'a frame left out',
    stream([{ ...header, with: { sequence: 1 } }]),
    `FRAME_UNREADABLE: ${at}it is number 1 on its stream where 0 is next`,
  ],
  [
    'a flipped bit',
    flipped,
    /^FRAME_UNREADABLE: .*checksum [0-9a-f]{8}, but its bytes give [0-9a-f]{8}$/,
    { checksum: true },
  ],
  ['no checksum', stream([header]), /^FRAME_UNREADABLE: .*checksum 00000000, but/, { checksum: true }],
  [
    'too much',
    [oversized],
    `FRAME_UNREADABLE: ${at}${messageBytesMax + 1} bytes, where ${messageBytesMax} is the limit`,
  ],
  ['compression', [compressed], `FRAME_UNREADABLE: ${at}a compressed message`],
  ['no frame', [withPrefix(Buffer.from('hello'))], `FRAME_UNREADABLE: ${at}5 bytes are too few`],
  [
    'half a frame, and its end',
    [stream([nodes])[0]!.subarray(0, 90)],
    'gone: rank 1: it ended its stream',
    { ends: true },
  ],
];
for (const [what, answer, expected, options] of cases) {
  test(`a peer that sends ${what} is told by name, and nothing is computed from it`, async (t) => {
    const outcome = await outcomeOf(t, answer, options);
    if (typeof expected === 'string') assert.equal(outcome, expected);
    else assert.match(outcome, expected);
  });
}

test('a peer that stops reading costs no memory, and is told after a while', async () => {
  const clock = new FakeClock();
  let stalls = 0;
  const written: Buffer[] = [];
  const unread = {
    destroyed: false,
    on: () => unread,
    end: () => undefined,
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes: Buffer) => written.push(bytes), //                 and never says that it is done
  };
  const outlet = new Outlet({
    ...{ runKey: runKeyOf('run'), checksum: false, clock, stallMs: 30_000 },
    onStalled: () => (stalls += 1),
  });
  outlet.attach(unread as unknown as ServerHttp2Stream);
  const large = { ...nodes, payload: new Uint8Array(512 * 1024) };
  const sends = Array.from({ length: 1000 }, () => outlet.send(large));
  for (const send of sends) send.catch(() => undefined);
  assert.equal(written.length, 2, 'two frames are on their way, and the others wait as views of one vector');
  clock.advance(29_999);
  assert.equal(stalls, 0);
  clock.advance(1);
  assert.equal(stalls, 1);
  outlet.close('the generation is over');
  await assert.rejects(sends[999]!, Abandoned);
});
