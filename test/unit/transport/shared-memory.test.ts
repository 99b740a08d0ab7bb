import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import type { Begin } from '../../../src/cluster/messages.js';
import { fetchPayload, type ArrivedFrame, type Frame } from '../../../src/collective/frame.js';
import { systemClock } from '../../../src/core/clock.js';
import { ExchangeClients } from '../../../src/transport/grpc/exchange-client.js';
import { ExchangeServer } from '../../../src/transport/grpc/exchange-server.js';
import {
  writePlacedFrame,
  placedFrameBytes,
  readingFrameBytes,
  writeReading,
} from '../../../src/transport/grpc/frame-codec.js';
import { GrpcLink } from '../../../src/transport/grpc/grpc-link.js';
import { PeerSlots } from '../../../src/transport/grpc/peer-slots.js';
import type { PullEvents } from '../../../src/transport/grpc/pull-stream.js';
import { runKeyOf } from '../../../src/transport/grpc/run-key.js';
import {
  formatOffer,
  parseOffer,
  payloadsPerReading,
  slotBytes,
  SlotFile,
  slotFileKey,
  tmpfsFolder,
} from '../../../src/transport/grpc/slot-file.js';
import { FakeClock } from '../fake-clock.js';
import { sumOver, treeSum } from '../collective/sums.js';

const generation = { term: 1, number: 1 };
const round = { generation: 1, step: 1, purpose: 'gradient' } as const;
const key = slotFileKey('run', generation, 0);
const probe = SlotFile.create(key, tmpfsFolder);
probe?.close();
const skip = probe ? false : `no memory in ${tmpfsFolder} that workers could share: NOT TESTED`;

function frameWith(payload: Uint8Array, slice = 0): Frame {
  return { kind: 'nodes', round, slice, node: 0, payload };
}

/** Real links between members of one host, each with its own idea of the memory that they share. */
async function startLinks(t: TestContext, folders: readonly (string | undefined)[], checksum = false) {
  const peers = await Promise.all(
    folders.map(async () => {
      const server = new ExchangeServer('run', () => 'nothing here');
      const port = await server.start({ host: '127.0.0.1', port: 0 }, true);
      await server.startForHost(`127.0.0.1:${port}`);
      const clients = new ExchangeClients('run', systemClock);
      t.after(() => {
        clients.close();
        server.stop();
      });
      return { server, clients, address: `127.0.0.1:${port}` };
    }),
  );
  const members = peers.map(({ address }, i) => ({ workerId: `w${i}`, address }));
  const shares = members.map(() => 1);
  const begin: Begin = { kind: 'begin', generation, members, shares, donor: 0, afterStep: 0, lastStep: 9 };
  return peers.map(({ server, clients }, rank) => {
    const options = { rank, runId: 'run', begin, checksum, clock: systemClock, memoryFolder: folders[rank] };
    const link = new GrpcLink(options, { peerGone: () => undefined, violated: (error) => assert.fail(error) });
    server.begin(generation, link);
    link.open((address, events) => clients.pull(address, generation, rank, events));
    t.after(() => link.close('test over'));
    return link;
  });
}

async function assertSums(
  links: readonly GrpcLink[],
  firstStep: number,
  rounds: number,
  length: number,
): Promise<void> {
  const options = { topology: 'mesh', length, count: 7, shares: links.map(() => 1), firstStep, rounds } as const;
  for (const { sum } of await sumOver(links, options)) assert.deepEqual(sum, treeSum(7, length));
}

for (const checksum of [false, true])
  test(`members of one host pass payloads through memory${checksum ? ', with checksums' : ''}`, { skip }, async (t) => {
    const links = await startLinks(t, [tmpfsFolder, tmpfsFolder, tmpfsFolder], checksum);
    let step = 1;
    while (links.some((link) => link.sharesMemoryWith.writing.length < 2)) await assertSums(links, step++, 1, 10_000);
    await assertSums(links, step, 6, 900_000); //                     more than all slots hold
    assert.deepEqual(links[0]!.sharesMemoryWith, { reading: [1, 2], writing: [1, 2] });
  });

test('bytes travel in the stream to and from a member that shares no memory', { skip }, async (t) => {
  const links = await startLinks(t, [tmpfsFolder, undefined, '/proc']);
  await assertSums(links, 1, 3, 300_000);
  assert.deepEqual(links[1]!.sharesMemoryWith, { reading: [], writing: [] }, 'it wants none');
  assert.deepEqual(links[2]!.sharesMemoryWith.writing, [], 'it has none, and may read in that of others');
  assert.deepEqual(links[0]!.sharesMemoryWith.reading, []);
});

test('a payload for several peers is written once, and its slot is free when all have read it', { skip }, () => {
  const file = SlotFile.create(key, tmpfsFolder)!;
  const frame = frameWith(new Uint8Array(5000));
  const first = file.place(frame, 1);
  assert.deepEqual(file.place(frame, 2), first);
  const other = file.place(frameWith(frame.payload, 1), 1);
  assert.notDeepEqual(other, first, 'another slice, though in the same memory');
  assert.equal(file.place(frameWith(new Uint8Array(slotBytes + 4)), 1), 'unfit');
  assert.equal(file.place(frameWith(new Uint8Array(100)), 1), 'unfit');
  while (file.place(frameWith(new Uint8Array(5000)), 1) !== 'full');
  assert.equal(file.slowestReader(), 1);
  assert.ok(file.read(1, 1));
  assert.equal(file.place(frameWith(new Uint8Array(5000)), 1), 'full', 'rank 2 still has to read it');
  assert.equal(file.read(2, 2), false, 'more than it was sent');
  assert.ok(file.read(2, 1));
  assert.equal(file.read(2, 0), false, 'less than before');
  assert.deepEqual(file.place(frameWith(new Uint8Array(5000)), 2), first);
  file.gone(1);
  assert.notEqual(file.place(frameWith(new Uint8Array(5000)), 2), 'full');
  assert.ok(file.read(1, 2), 'it read that before it went, and its word for it was on another stream');
  assert.equal(file.read(1, 1000), false, 'more than it was ever sent');
  file.close();
  assert.equal(file.place(frame, 2), 'unfit', 'memory that failed or is closed takes nothing');
});

test('a folder that is not in memory is not used, nor one that does not exist', () => {
  assert.equal(SlotFile.create(key, '/proc'), undefined);
  assert.equal(SlotFile.create(key, join(tmpdir(), 'does-not-exist')), undefined);
});

test('what a peer offers is opened only if it is the file of that rank', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = SlotFile.create(key, tmpfsFolder)!;
  t.after(() => file.close());
  const opened = (offer = file.offer, wanted = key): boolean => {
    const slots = PeerSlots.open(offer, wanted, 2);
    slots?.close();
    return slots !== undefined;
  };
  assert.ok(opened());
  assert.equal(opened(file.offer, slotFileKey('run', generation, 1)), false, 'of another rank');
  assert.equal(opened(file.offer, slotFileKey('run', { term: 1, number: 2 }, 0)), false, 'of another generation');
  assert.equal(opened({ ...file.offer, slots: file.offer.slots - 1 }), false, 'of another size');
  assert.equal(opened({ ...file.offer, slotBytes: slotBytes * 2 }), false, 'with slots that are too large');
  assert.equal(opened({ ...file.offer, fd: 99_999 }), false, 'not there');
  const path = join(folder, 'lookalike');
  writeFileSync(path, key, { mode: 0o600 });
  truncateSync(path, 4096 + file.offer.slots * slotBytes);
  const fd = openSync(path, 'r');
  assert.ok(opened({ ...file.offer, fd }), 'the same contents are as good');
  closeSync(fd);
  const directory = openSync(folder, 'r');
  assert.equal(opened({ ...file.offer, fd: directory }), false, 'a folder');
  closeSync(directory);
  for (const text of ['', '1 2 3', '1 2 3 x', '-1 2 3 4', '1 2 3 4 5', '99999999999 1 1 1'])
    assert.equal(parseOffer(text), undefined, text);
  assert.deepEqual(parseOffer(formatOffer(file.offer)), file.offer);
});

test('kill -9 leaves no file behind, and what was sent can still be read', { skip }, async () => {
  const program = `
    const { SlotFile } = await import(${JSON.stringify(new URL('../../../src/transport/grpc/slot-file.js', import.meta.url).href)});
    const file = SlotFile.create(Buffer.from(process.argv[1], 'hex'), process.argv[2]);
    const round = { generation: 1, step: 1, purpose: 'gradient' };
    const place = file.place({ kind: 'nodes', round, slice: 0, node: 0, payload: new Uint8Array(8000).fill(7) }, 1);
    console.log(JSON.stringify({ offer: file.offer, place }));
    setInterval(() => undefined, 1000);`;
  const args = ['--input-type=module', '-e', program, key.toString('hex'), tmpfsFolder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { offer, place } = JSON.parse(line) as { offer: SlotFile['offer']; place: { slot: number; bytes: number } };
  const slots = PeerSlots.open(offer, key, 2)!;
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(!existsSync(`/proc/${child.pid}/fd`));
  assert.deepEqual(
    readdirSync(tmpfsFolder).filter((name) => name.startsWith(`lockstep-${child.pid}-`)),
    [],
  );
  const bytes = new Uint8Array(8000);
  slots.read(place, bytes);
  assert.deepEqual(bytes, new Uint8Array(8000).fill(7));
  slots.close();
});

/** Rank 0's link with a peer whose every message is ours, and what a message comes to. */
function hostilePeer(t: TestContext, { checksum = false, offers = true } = {}) {
  const file = SlotFile.create(slotFileKey('run', generation, 1), tmpfsFolder)!;
  t.after(() => file.close());
  const members = ['127.0.0.1:1', '127.0.0.1:2'].map((address, i) => ({ workerId: `w${i}`, address }));
  const begin: Begin = { kind: 'begin', generation, members, shares: [1, 1], donor: 0, afterStep: 0, lastStep: 9 };
  const clock = new FakeClock();
  const link = new GrpcLink(
    { rank: 0, runId: 'run', begin, checksum, clock, memoryFolder: tmpfsFolder },
    { peerGone: () => undefined, violated: () => undefined },
  );
  t.after(() => link.close('test over'));
  let events!: PullEvents;
  link.open((_address, opened) => {
    events = opened;
    return { close: () => undefined };
  });
  if (offers) events.memory!(formatOffer(file.offer));
  const received: ArrivedFrame[] = [];
  const bytes: Uint8Array[] = [];
  const receive = (_: number, frame: ArrivedFrame): void => {
    const target = new Uint8Array(frame.payload.byteLength);
    fetchPayload(frame, target);
    received.push(frame);
    bytes.push(target);
  };
  let sequence = 0;
  const envelope = () => ({ runKey: runKeyOf('run'), sequence: sequence++, checksum });
  const outcome = (message: Buffer): string => {
    try {
      events.message(message);
      return 'accepted';
    } catch (error) {
      return `${(error as { code?: string }).code}: ${(error as Error).message}`;
    }
  };
  return {
    file,
    bytes,
    openRound: () => link.inbox.open(round, { receive, fail: () => undefined }),
    sendPlaced: (frame: Frame, place: { slot: number; bytes: number }) => {
      const message = Buffer.alloc(placedFrameBytes);
      writePlacedFrame(frame, { ...place, payloadsRead: 0 }, envelope(), message);
      return outcome(message);
    },
    sendReading: (payloads: number) => {
      const message = Buffer.alloc(readingFrameBytes);
      writeReading(payloads, envelope(), message);
      return outcome(message);
    },
    offered: () => link.offerMemory(),
  };
}

const unreadable = /^FRAME_UNREADABLE: rank 1 at 127\.0\.0\.1:2 sent a frame that cannot be read, at .*: /;
function assertUnreadable(outcome: string, reason: string): void {
  assert.match(outcome, unreadable);
  assert.ok(outcome.endsWith(`: ${reason}`), outcome);
}

test('a place that does not exist is refused, and one in memory that was never opened', { skip }, (t) => {
  const frame = frameWith(new Uint8Array(8192).fill(3));
  const peer = hostilePeer(t);
  peer.openRound();
  const at = peer.file.place(frame, 0);
  assert.ok(typeof at === 'object');
  assert.equal(peer.sendPlaced(frame, at), 'accepted');
  assert.deepEqual(peer.bytes, [frame.payload]);
  const limits = `of ${peer.file.offer.slots} slots with ${slotBytes} bytes`;
  assertUnreadable(peer.sendPlaced(frame, { ...at, slot: 16 }), `8192 bytes in slot 16, ${limits}`);
  assertUnreadable(
    peer.sendPlaced(frame, { ...at, bytes: 2 ** 32 - 1 }),
    `4294967295 bytes in slot ${at.slot}, ${limits}`,
  );
  assertUnreadable(peer.sendPlaced(frame, { ...at, bytes: 8 }), `8 bytes in slot ${at.slot}, ${limits}`);
  const stranger = hostilePeer(t, { offers: false });
  assertUnreadable(stranger.sendPlaced(frame, at), 'its payload lies in memory that is not open here');
});

test('a stale round is refused before its payload is read', { skip }, (t) => {
  const peer = hostilePeer(t);
  peer.openRound();
  const stale = { ...frameWith(new Uint8Array(8192)), round: { ...round, step: 0 } };
  assert.match(peer.sendPlaced(stale, { slot: 0, bytes: 8192 }), /^STALE_ROUND: rank 1 sent step 0/);
  assert.deepEqual(peer.bytes, []);
});

test('with checksums a bit that flips in memory is found, for frames that come early, too', { skip }, (t) => {
  for (const isEarly of [false, true]) {
    const peer = hostilePeer(t, { checksum: true });
    const frame = frameWith(new Uint8Array(8192).fill(3));
    const place = peer.file.place(frame, 0);
    assert.ok(typeof place === 'object');
    if (!isEarly) peer.openRound();
    const sent = { ...frame, payload: frame.payload.with(100, 7) }; //  what its checksum was made of
    const outcome = peer.sendPlaced(sent, place);
    if (!isEarly) assert.match(outcome, /^FRAME_UNREADABLE: .*checksum [0-9a-f]{8}, but its bytes give [0-9a-f]{8}$/);
    else assert.throws(() => peer.openRound(), { code: 'FRAME_UNREADABLE' });
    assert.deepEqual(peer.bytes, []);
  }
});

test('a peer that reads what it was not sent is refused', { skip }, (t) => {
  const peer = hostilePeer(t);
  assertUnreadable(peer.sendReading(0), 'it reads in memory that it was not offered');
  assert.ok(peer.offered());
  assert.equal(peer.sendReading(0), 'accepted');
  assertUnreadable(peer.sendReading(1), 'it has read 1 payloads, which it was not sent');
});

test('frames of a round that has not begun stay where they are, but few of them, and come in order', { skip }, (t) => {
  const peer = hostilePeer(t);
  const frames = Array.from({ length: 14 }, (_, i) => frameWith(new Uint8Array(8192).fill(i + 1), i));
  for (const frame of frames) {
    const place = peer.file.place(frame, 0);
    assert.ok(typeof place === 'object');
    assert.equal(peer.sendPlaced(frame, place), 'accepted');
  }
  const stay = payloadsPerReading(peer.file.offer.slots, 2);
  assert.ok(peer.file.read(0, frames.length - stay), 'the oldest were copied, so their slots are free');
  for (let i = 0; i < frames.length - stay; i++) peer.file.place(frameWith(new Uint8Array(8192).fill(99), 50 + i), 0);
  peer.openRound();
  assert.deepEqual(
    peer.bytes.map((bytes) => bytes[5]),
    frames.map((_, i) => i + 1),
  );
});
