import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameKinds, type Frame } from '../../../src/collective/frame.js';
import { exchangeProtoService } from '../../../src/transport/grpc/definitions.js';
import {
  frameBytes,
  frameHeaderBytes,
  MalformedFrame,
  readFrame,
  checkPayload,
  placedFrameBytes,
  readingFrameBytes,
  writeFrame,
  writePlacedFrame,
  writeReading,
  type Envelope,
} from '../../../src/transport/grpc/frame-codec.js';
import { randomStream } from '../../../src/core/random.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const plain = { noNullPrototype: true };
const purpose = fc.constantFrom('gradient' as const, 'evaluation' as const);
const frames: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom(...frameKinds),
    round: fc.record({ generation: uint32, step: uint32, purpose }, plain),
    slice: uint32,
    node: uint32,
    payload: fc.uint8Array({ maxLength: 300 }),
  },
  plain,
);
const envelopes: fc.Arbitrary<Envelope> = fc.record(
  {
    runKey: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    sequence: fc.integer({ min: 0, max: 2 ** 50 }),
    checksum: fc.boolean(),
  },
  plain,
);

function written(frame: Frame, envelope: Envelope): Buffer {
  const bytes = Buffer.alloc(frameBytes(frame));
  writeFrame(frame, envelope, bytes);
  return bytes;
}

const example: Frame = {
  kind: 'sum',
  round: { generation: 1, step: 2, purpose: 'gradient' },
  slice: 3,
  node: 4,
  payload: Uint8Array.of(1, 2, 3),
};
const envelope: Envelope = { runKey: new Uint8Array(8).fill(7), sequence: 5, checksum: true };

test('a frame comes back as it was', () => {
  fc.assert(
    fc.property(frames, envelopes, (frame, sent) => {
      const read = readFrame(written(frame, sent), sent.checksum);
      assert.deepEqual({ ...read.frame, payload: [...read.frame.payload] }, { ...frame, payload: [...frame.payload] });
      assert.deepEqual([...read.runKey], [...sent.runKey]);
      assert.equal(read.sequence, sent.sequence);
    }),
    { seed: 1 },
  );
});

test('what we write by hand, any protobuf reader understands', () => {
  fc.assert(
    fc.property(frames, envelopes, (frame, sent) => {
      const read = exchangeProtoService.Pull.responseDeserialize(written(frame, sent));
      assert.equal(read.kind, frameKinds.indexOf(frame.kind));
      assert.equal(read.generation, frame.round.generation);
      assert.equal(read.step, frame.round.step);
      assert.equal(read.purpose, frame.round.purpose === 'evaluation' ? 1 : 0);
      assert.equal(read.slice, frame.slice);
      assert.equal(read.node, frame.node);
      assert.equal(read.sequence, sent.sequence);
      assert.equal(read.crc32 !== 0, sent.checksum);
      assert.deepEqual([...read.payload], [...frame.payload]);
    }),
    { seed: 2 },
  );
});

function writtenPlaced(
  frame: Frame,
  sent: Envelope,
  place: { slot: number; bytes: number; payloadsRead: number },
): Buffer {
  const bytes = Buffer.alloc(placedFrameBytes);
  writePlacedFrame(frame, place, sent, bytes);
  return bytes;
}

function writtenReading(payloads: number, sent: Envelope): Buffer {
  const bytes = Buffer.alloc(readingFrameBytes);
  writeReading(payloads, sent, bytes);
  return bytes;
}

test('a frame whose payload lies elsewhere says where, and its checksum goes over the payload, too', () => {
  const count64 = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(
    fc.property(frames, envelopes, uint32, uint32, count64, (frame, sent, slot, bytes, payloadsRead) => {
      const place = { slot, bytes, payloadsRead };
      const message = writtenPlaced(frame, sent, place);
      const wire = exchangeProtoService.Pull.responseDeserialize(message);
      assert.deepEqual({ ...wire.place }, place);
      const read = readFrame(message, sent.checksum);
      assert.deepEqual(read.place, place);
      assert.deepEqual([read.frame.slice, read.frame.payload.byteLength], [frame.slice, 0]);
      checkPayload(read, frame.payload);
      if (sent.checksum) assert.throws(() => checkPayload(read, Uint8Array.of(...frame.payload, 0)), MalformedFrame);
      const reading = writtenReading(payloadsRead, sent);
      assert.equal(exchangeProtoService.Pull.responseDeserialize(reading).reading?.payloads, payloadsRead);
      assert.equal(readFrame(reading, sent.checksum).reading, payloadsRead);
    }),
    { seed: 3 },
  );
});

test('a payload longer than one byte of varint can say, written behind other bytes, is aligned in its message', () => {
  const payload = new Uint8Array(300_000).fill(7);
  const frame: Frame = { ...example, payload };
  const bytes = Buffer.alloc(5 + frameBytes(frame), 1); //            gRPC's own five come first
  writeFrame(frame, envelope, bytes, 5);
  const message = bytes.subarray(5);
  assert.equal((5 + frameHeaderBytes) % 64, 0);
  assert.deepEqual(readFrame(Buffer.from(message), true).frame.payload, Buffer.from(payload));
  assert.equal(exchangeProtoService.Pull.responseDeserialize(message).payload.length, 300_000);
});

test('what is not a frame is refused', () => {
  const good = written(example, { ...envelope, checksum: false });
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  const bad: readonly (readonly [Buffer, RegExp])[] = [
    [good.subarray(0, 20), /^20 bytes are too few$/],
    [good.subarray(0, -1), /^3 bytes announced, 2 there$/],
    [Buffer.concat([good, Buffer.of(0)]), /^3 bytes announced, 4 there$/],
    [changed(5, 0), /^tag 0 where 21 belongs$/],
    [changed(53, 0x4a), /^tag 74 where 82 belongs$/],
    [changed(1, 9), /^kind 9$/],
    [changed(16, 2), /^purpose 2$/],
    [changed(54, 3), /not padded/],
  ];
  for (const [bytes, message] of bad) assert.throws(() => readFrame(bytes, false), { name: 'MalformedFrame', message });
});

test('with a checksum no flipped bit goes through', () => {
  const good = written(example, envelope);
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = Buffer.from(good);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => readFrame(bytes, true), MalformedFrame, `bit ${bit}`);
  }
  assert.doesNotThrow(() => readFrame(Buffer.from(good), true));
});

// LOCKSTEP_FUZZ=10000000 for a longer run.
test('no bytes whatever do anything but decode or be refused', () => {
  const inputs = Number(process.env['LOCKSTEP_FUZZ'] ?? 100_000);
  const random = randomStream(11, 'frames');
  const plainly = { ...envelope, checksum: false };
  const goods = [
    written({ ...example, payload: new Uint8Array(40).fill(3) }, plainly),
    writtenPlaced(example, plainly, { slot: 3, bytes: 5000, payloadsRead: 7 }),
    writtenReading(9, plainly),
  ];
  let decoded = 0;
  for (let i = 0; i < inputs; i++) {
    const good = goods[i % goods.length]!;
    const bytes = Buffer.from(
      good.subarray(0, random.uint32() % 4 === 0 ? random.uint32() % good.length : good.length),
    );
    for (let n = random.uint32() % 4; n > 0 && bytes.length > 0; n--)
      bytes[random.uint32() % bytes.length] = random.uint32() & 0xff;
    try {
      const { frame, place, reading } = readFrame(bytes, false);
      const isElsewhere = place !== undefined || reading !== undefined;
      assert.equal(frame.payload.byteLength, isElsewhere ? 0 : bytes.byteLength - frameHeaderBytes);
      assert.ok(frameKinds.includes(frame.kind));
      decoded += 1;
    } catch (error) {
      assert.ok(error instanceof MalformedFrame, String(error));
    }
  }
  assert.ok(decoded > inputs / 10 && decoded < inputs, `${decoded} of ${inputs} were frames`);
});
