import { frameKinds, type Frame, type Round } from '../../collective/frame.js';

/**
 * `Frame` of proto/exchange.proto by hand: six fixed32 fields, always there and in order, then the payload. Any protobuf
 * reader can decode it; we copy the payload once on the way out and not at all on the way in.
 *
 *     0       5       10      15      20      25      30          31              36
 *     | kind  | gen.  | step  | purp. | slice | offset| tag, 0x3a | length, 5 bytes | payload ...
 *
 * The length is a varint padded to five bytes (legal protobuf), so that the payload begins at byte 36, a multiple of 4.
 */
const fixedFields = 6;
const fieldBytes = 5;
const lengthAt = fixedFields * fieldBytes + 1;
export const frameHeaderBytes = 36;

/** Tag of field `n` (1-based) with wire type 5, fixed32. */
const fixedTag = (n: number) => (n << 3) | 5;
const payloadTag = (7 << 3) | 2;

/** A new buffer with the frame in it; `frame.payload` may be reused afterwards. */
export function encodeFrame(frame: Frame): Buffer {
  const { round, payload } = frame;
  const bytes = Buffer.allocUnsafe(frameHeaderBytes + payload.byteLength);
  const purpose = round.purpose === 'evaluation' ? 1 : 0;
  const values = [frameKinds.indexOf(frame.kind), round.generation, round.step, purpose, frame.slice, frame.offset];
  for (const [i, value] of values.entries()) {
    bytes[i * fieldBytes] = fixedTag(i + 1);
    bytes.writeUInt32LE(value, i * fieldBytes + 1);
  }
  bytes[lengthAt - 1] = payloadTag;
  let rest = payload.byteLength;
  for (let i = 0; i < 4; i++, rest = Math.floor(rest / 128)) bytes[lengthAt + i] = (rest & 0x7f) | 0x80;
  bytes[lengthAt + 4] = rest & 0x7f;
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

/** The frame in `bytes`, of which the payload is a view. @throws Error if it is not as `encodeFrame` writes it */
export function decodeFrame(bytes: Buffer): Frame {
  if (bytes.byteLength < frameHeaderBytes || bytes[lengthAt - 1] !== payloadTag)
    throw new Error('malformed frame: header');
  const value = (i: number): number => {
    if (bytes[i * fieldBytes] !== fixedTag(i + 1)) throw new Error(`malformed frame: field ${i + 1}`);
    return bytes.readUInt32LE(i * fieldBytes + 1);
  };
  let length = 0;
  for (let i = 4; i >= 0; i--) length = length * 128 + (bytes[lengthAt + i]! & 0x7f);
  if (length !== bytes.byteLength - frameHeaderBytes) throw new Error(`malformed frame: ${length} bytes announced`);
  const kind = frameKinds[value(0)];
  if (!kind) throw new Error(`malformed frame: kind ${value(0)}`);
  const round: Round = { generation: value(1), step: value(2), purpose: value(3) === 1 ? 'evaluation' : 'gradient' };
  return { kind, round, slice: value(4), offset: value(5), payload: bytes.subarray(frameHeaderBytes) };
}
