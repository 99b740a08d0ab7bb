import { crc32 } from 'node:zlib';
import { frameKinds, type Frame, type Round } from '../../collective/frame.js';

/**
 * `Frame` of proto/exchange.proto by hand: fixed-width fields, always there and in order, then the payload. Any protobuf
 * reader can decode it; we copy the payload once on the way out and once to its place on the way in.
 *
 *     0       5       10      15      20      25      30      35      44          53          54              59
 *     | kind  | gen.  | step  | purp. | slice | node  | crc32 | run   | sequence  | tag, 0x52 | length, 5 bytes | payload
 *
 * The length is a varint padded to five bytes (legal protobuf). With gRPC's own five bytes before it the payload then
 * begins 64 bytes into the message: aligned for whatever reads it.
 */
export const frameHeaderBytes = 59;
const words = 6;
const wordBytes = 5;
const crcAt = words * wordBytes + 1;
const runAt = crcAt + 5;
const sequenceAt = runAt + 9;
const lengthAt = 54;

const fixed32 = 5;
const fixed64 = 1;
const delimited = 2;
/** Where each field's tag is, and what it must be: number and wire type. */
const tags: readonly (readonly [number, number])[] = [
  ...Array.from({ length: words + 1 }, (_, i) => [i * wordBytes, ((i + 1) << 3) | fixed32] as const),
  [runAt - 1, (8 << 3) | fixed64],
  [sequenceAt - 1, (9 << 3) | fixed64],
  [lengthAt - 1, (10 << 3) | delimited],
];

/** What a stream adds to each of its frames. */
export interface Envelope {
  /** Eight bytes that name the run. */
  readonly runKey: Uint8Array;
  /** Frames on this stream before this one. */
  readonly sequence: number;
  /** Whether `crc32` is that of the frame, with zeros in its place; else it is 0. */
  readonly checksum: boolean;
}

export function frameBytes(frame: Frame): number {
  return frameHeaderBytes + frame.payload.byteLength;
}

/** Writes the frame to `bytes`, `frameBytes` of them from `at` on. */
export function writeFrame(frame: Frame, envelope: Envelope, bytes: Buffer, at = 0): void {
  const { round, payload } = frame;
  const purpose = round.purpose === 'evaluation' ? 1 : 0;
  const values = [frameKinds.indexOf(frame.kind), round.generation, round.step, purpose, frame.slice, frame.node, 0];
  for (const [place, tag] of tags) bytes[at + place] = tag;
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, at + i * wordBytes + 1);
  bytes.set(envelope.runKey, at + runAt);
  bytes.writeUInt32LE(envelope.sequence % 2 ** 32, at + sequenceAt);
  bytes.writeUInt32LE(Math.floor(envelope.sequence / 2 ** 32), at + sequenceAt + 4);
  let rest = payload.byteLength;
  for (let i = 0; i < 4; i++, rest = Math.floor(rest / 128)) bytes[at + lengthAt + i] = (rest & 0x7f) | 0x80;
  bytes[at + lengthAt + 4] = rest & 0x7f;
  bytes.set(payload, at + frameHeaderBytes);
  if (envelope.checksum)
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + frameHeaderBytes + payload.byteLength)), at + crcAt);
}

export interface ReadFrame extends Envelope {
  /** Its payload is a view on the bytes that were read. */
  readonly frame: Frame;
}

/** Why bytes are no frame. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}

/**
 * The frame in `bytes`, which are ours to change.
 *
 * @param checksum - whether it must have one
 * @throws MalformedFrame if it is not as `writeFrame` writes it
 */
export function readFrame(bytes: Buffer, checksum: boolean): ReadFrame {
  if (bytes.byteLength < frameHeaderBytes) throw new MalformedFrame(`${bytes.byteLength} bytes are too few`);
  for (const [place, tag] of tags)
    if (bytes[place] !== tag) throw new MalformedFrame(`tag ${bytes[place]} where ${tag} belongs`);
  if (checksum) {
    const said = bytes.readUInt32LE(crcAt);
    bytes.writeUInt32LE(0, crcAt);
    const actual = crc32(bytes);
    if (said !== actual) throw new MalformedFrame(`checksum ${hex(said)}, but its bytes give ${hex(actual)}`);
  }
  const length = lengthOf(bytes);
  if (length !== bytes.byteLength - frameHeaderBytes)
    throw new MalformedFrame(`${length} bytes announced, ${bytes.byteLength - frameHeaderBytes} there`);
  const word = (i: number): number => bytes.readUInt32LE(i * wordBytes + 1);
  const kind = frameKinds[word(0)];
  if (!kind) throw new MalformedFrame(`kind ${word(0)}`);
  if (word(3) > 1) throw new MalformedFrame(`purpose ${word(3)}`);
  const round: Round = { generation: word(1), step: word(2), purpose: word(3) === 1 ? 'evaluation' : 'gradient' };
  return {
    frame: { kind, round, slice: word(4), node: word(5), payload: bytes.subarray(frameHeaderBytes) },
    runKey: bytes.subarray(runAt, runAt + 8),
    sequence: bytes.readUInt32LE(sequenceAt) + bytes.readUInt32LE(sequenceAt + 4) * 2 ** 32,
    checksum,
  };
}

/** Of the payload, as its varint says: four bytes that go on and one that does not. */
function lengthOf(bytes: Buffer): number {
  let length = bytes[lengthAt + 4]!;
  for (let i = 3; i >= 0; i--) {
    const byte = bytes[lengthAt + i]!;
    if (byte < 0x80) throw new MalformedFrame('a length that is not padded');
    length = length * 128 + (byte & 0x7f);
  }
  return length;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
