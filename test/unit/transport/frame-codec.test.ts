import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frameKinds, type Frame } from '../../../src/collective/frame.js';
import { exchangeProtoService } from '../../../src/transport/grpc/definitions.js';
import { decodeFrame, encodeFrame, frameHeaderBytes } from '../../../src/transport/grpc/frame-codec.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const plain = { noNullPrototype: true };
const purpose = fc.constantFrom('gradient' as const, 'evaluation' as const);
const frames: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.constantFrom(...frameKinds),
    round: fc.record({ generation: uint32, step: uint32, purpose }, plain),
    slice: uint32,
    offset: uint32,
    payload: fc.uint8Array({ maxLength: 300 }),
  },
  plain,
);

test('a frame comes back as it was', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const decoded = decodeFrame(encodeFrame(frame));
      assert.deepEqual({ ...decoded, payload: [...decoded.payload] }, { ...frame, payload: [...frame.payload] });
    }),
    { seed: 1 },
  );
});

test('what we write by hand, any protobuf reader understands', () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const read = exchangeProtoService.Pull.responseDeserialize(encodeFrame(frame));
      assert.equal(read.kind, frameKinds.indexOf(frame.kind));
      assert.equal(read.generation, frame.round.generation);
      assert.equal(read.step, frame.round.step);
      assert.equal(read.purpose, frame.round.purpose === 'evaluation' ? 1 : 0);
      assert.equal(read.slice, frame.slice);
      assert.equal(read.offset, frame.offset);
      assert.deepEqual([...read.payload], [...frame.payload]);
    }),
    { seed: 2 },
  );
});

test('a payload longer than one byte of varint can say', () => {
  const payload = new Uint8Array(300_000).fill(7);
  const frame: Frame = {
    kind: 'sum',
    round: { generation: 1, step: 2, purpose: 'gradient' },
    slice: 3,
    offset: 4,
    payload,
  };
  const bytes = encodeFrame(frame);
  assert.equal(bytes.length, frameHeaderBytes + 300_000);
  assert.equal(decodeFrame(bytes).payload.length, 300_000);
  assert.equal(exchangeProtoService.Pull.responseDeserialize(bytes).payload.length, 300_000);
});

test('what is not a frame is refused', () => {
  const frame: Frame = {
    kind: 'sum',
    round: { generation: 1, step: 2, purpose: 'gradient' },
    slice: 3,
    offset: 4,
    payload: Uint8Array.of(1),
  };
  const good = encodeFrame(frame);
  assert.throws(() => decodeFrame(good.subarray(0, 20)), /malformed/);
  assert.throws(() => decodeFrame(Buffer.concat([good, Buffer.of(0)])), /malformed/);
  const otherTag = Buffer.from(good);
  otherTag[5] = 0;
  assert.throws(() => decodeFrame(otherTag), /malformed/);
  const otherKind = Buffer.from(good);
  otherKind[1] = 9;
  assert.throws(() => decodeFrame(otherKind), /malformed/);
});
