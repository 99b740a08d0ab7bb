import { crc32 } from 'node:zlib';
import { frameKinds, type Frame, type Round } from '../../collective/frame.js';

/**
 * `Frame` of proto/exchange.proto by hand: fixed-width fields, always there and in order, then the body. Any protobuf
 * reader can decode it; we copy the payload once on the way out and once to its place on the way in.
 *
 *     0       5       10      15      20      25      30      35      44          53     54                59
 *     | kind  | gen.  | step  | purp. | slice | node  | crc32 | run   | sequence  | tag  | length, 5 bytes | body
 *
 * The body is the payload, or the place in memory where it lies, or how far the sender has read in the receiver's memory
 * (slot-file.ts): the tag says which. The length is a varint padded to five bytes (legal protobuf). With gRPC's own five
 * bytes before it the payload then begins 64 bytes into the message: aligned for whatever reads it.
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
/** Field numbers of the body. */
const bodies = { payload: 10, place: 11, reading: 12 } as const;
const placeBytes = 19;
const readingBytes = 9;
const payloadsReadAt = frameHeaderBytes + 2 * wordBytes + 1;
/** What a frame is long whose payload lies elsewhere. */
export const placedFrameBytes = frameHeaderBytes + placeBytes;
export const readingFrameBytes = frameHeaderBytes + readingBytes;
/** Where each field's tag is, and what it must be: number and wire type. */
const tags: readonly (readonly [number, number])[] = [
  ...Array.from({ length: words + 1 }, (_, i) => [i * wordBytes, ((i + 1) << 3) | fixed32] as const),
  [runAt - 1, (8 << 3) | fixed64],
  [sequenceAt - 1, (9 << 3) | fixed64],
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

/** Where a payload lies in its sender's memory. */
export interface Place {
  readonly slot: number;
  readonly bytes: number;
}

/** A place, and how many payloads the sender has read in the receiver's memory. */
export interface SentPlace extends Place {
  readonly payloadsRead: number;
}

/** Writes the frame to `bytes`, `frameBytes` of them from `at` on. */
export function writeFrame(frame: Frame, envelope: Envelope, bytes: Buffer, at = 0): void {
  const { payload } = frame;
  writeHead(frame, envelope, bodies.payload, payload.byteLength, bytes, at);
  bytes.set(payload, at + frameHeaderBytes);
  if (envelope.checksum)
    bytes.writeUInt32LE(crc32(bytes.subarray(at, at + frameHeaderBytes + payload.byteLength)), at + crcAt);
}

/** Writes, `placedFrameBytes` long, a frame whose payload lies at `place`. Its checksum goes over the payload, too. */
export function writePlacedFrame(frame: Frame, place: SentPlace, envelope: Envelope, bytes: Buffer, at = 0): void {
  writeHead(frame, envelope, bodies.place, placeBytes, bytes, at);
  for (const [i, value] of [place.slot, place.bytes].entries()) {
    bytes[at + frameHeaderBytes + i * wordBytes] = ((i + 1) << 3) | fixed32;
    bytes.writeUInt32LE(value, at + frameHeaderBytes + i * wordBytes + 1);
  }
  bytes[at + payloadsReadAt - 1] = (3 << 3) | fixed64;
  writeUint64(place.payloadsRead, bytes, at + payloadsReadAt);
  if (envelope.checksum)
    bytes.writeUInt32LE(crc32(frame.payload, crc32(bytes.subarray(at, at + placedFrameBytes))), at + crcAt);
}

const nothing: Omit<Frame, 'payload'> = {
  kind: 'header',
  round: { generation: 0, step: 0, purpose: 'gradient' },
  slice: 0,
  node: 0,
};

/** Writes, `readingFrameBytes` long, that so many payloads were read in the receiver's memory. */
export function writeReading(payloads: number, envelope: Envelope, bytes: Buffer, at = 0): void {
  writeHead(nothing, envelope, bodies.reading, readingBytes, bytes, at);
  bytes[at + frameHeaderBytes] = (1 << 3) | fixed64;
  writeUint64(payloads, bytes, at + frameHeaderBytes + 1);
  if (envelope.checksum) bytes.writeUInt32LE(crc32(bytes.subarray(at, at + readingFrameBytes)), at + crcAt);
}

function writeHead(
  { kind, round, slice, node }: Omit<Frame, 'payload'>,
  { runKey, sequence }: Envelope,
  body: number,
  bodyBytes: number,
  bytes: Buffer,
  at: number,
): void {
  const purpose = round.purpose === 'evaluation' ? 1 : 0;
  const values = [frameKinds.indexOf(kind), round.generation, round.step, purpose, slice, node, 0];
  for (const [place, tag] of tags) bytes[at + place] = tag;
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, at + i * wordBytes + 1);
  bytes.set(runKey, at + runAt);
  writeUint64(sequence, bytes, at + sequenceAt);
  bytes[at + lengthAt - 1] = (body << 3) | delimited;
  let rest = bodyBytes;
  for (let i = 0; i < 4; i++, rest = Math.floor(rest / 128)) bytes[at + lengthAt + i] = (rest & 0x7f) | 0x80;
  bytes[at + lengthAt + 4] = rest & 0x7f;
}

export interface ReadFrame extends Envelope {
  /** A view on the bytes that were read; empty if the payload lies elsewhere or there is none. */
  readonly frame: Frame;
  /** Where its payload lies, if not here. */
  readonly place?: SentPlace;
  /** With a checksum and a place: what the frame says, and what its bytes without the payload give. */
  readonly unchecked?: { readonly said: number; readonly soFar: number };
  /** It carries nothing but this: so many payloads were read in our memory. */
  readonly reading?: number;
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
  for (const [place, tag] of tags) expectTag(bytes, place, tag);
  const body = bytes[lengthAt - 1]! >>> 3;
  const isPlaced = body === bodies.place;
  if (!isPlaced && body !== bodies.reading) expectTag(bytes, lengthAt - 1, (bodies.payload << 3) | delimited);
  expectTag(bytes, lengthAt - 1, (body << 3) | delimited);
  const said = bytes.readUInt32LE(crcAt);
  let soFar = 0;
  if (checksum) {
    bytes.writeUInt32LE(0, crcAt);
    soFar = crc32(bytes);
    if (!isPlaced) compareChecksums(said, soFar);
  }
  const length = lengthOf(bytes);
  if (length !== bytes.byteLength - frameHeaderBytes)
    throw new MalformedFrame(`${length} bytes announced, ${bytes.byteLength - frameHeaderBytes} there`);
  const word = (i: number): number => bytes.readUInt32LE(i * wordBytes + 1);
  const kind = frameKinds[word(0)];
  if (!kind) throw new MalformedFrame(`kind ${word(0)}`);
  if (word(3) > 1) throw new MalformedFrame(`purpose ${word(3)}`);
  const round: Round = { generation: word(1), step: word(2), purpose: word(3) === 1 ? 'evaluation' : 'gradient' };
  const payload = bytes.subarray(body === bodies.payload ? frameHeaderBytes : bytes.byteLength);
  return {
    frame: { kind, round, slice: word(4), node: word(5), payload },
    runKey: bytes.subarray(runAt, runAt + 8),
    sequence: readUint64(bytes, sequenceAt),
    checksum,
    ...(isPlaced ? { place: placeIn(bytes) } : {}),
    ...(isPlaced && checksum ? { unchecked: { said, soFar } } : {}),
    ...(body === bodies.reading ? { reading: readingIn(bytes) } : {}),
  };
}

/** @param payload - of a frame that says where it lies @throws MalformedFrame if it is not what was sent */
export function checkPayload({ unchecked }: ReadFrame, payload: Uint8Array): void {
  if (unchecked) compareChecksums(unchecked.said, crc32(payload, unchecked.soFar));
}

function compareChecksums(said: number, actual: number): void {
  if (said !== actual) throw new MalformedFrame(`checksum ${hex(said)}, but its bytes give ${hex(actual)}`);
}

function expectTag(bytes: Buffer, at: number, tag: number): void {
  if (bytes[at] !== tag) throw new MalformedFrame(`tag ${bytes[at]} where ${tag} belongs`);
}

function expectBody(bytes: Buffer, length: number): void {
  if (bytes.byteLength !== frameHeaderBytes + length)
    throw new MalformedFrame(`a body of ${bytes.byteLength - frameHeaderBytes} bytes where ${length} belong`);
}

function placeIn(bytes: Buffer): SentPlace {
  expectBody(bytes, placeBytes);
  for (let i = 0; i < 2; i++) expectTag(bytes, frameHeaderBytes + i * wordBytes, ((i + 1) << 3) | fixed32);
  const word = (i: number): number => bytes.readUInt32LE(frameHeaderBytes + i * wordBytes + 1);
  expectTag(bytes, payloadsReadAt - 1, (3 << 3) | fixed64);
  return { slot: word(0), bytes: word(1), payloadsRead: readUint64(bytes, payloadsReadAt) };
}

function readingIn(bytes: Buffer): number {
  expectBody(bytes, readingBytes);
  expectTag(bytes, frameHeaderBytes, (1 << 3) | fixed64);
  return readUint64(bytes, frameHeaderBytes + 1);
}

function writeUint64(value: number, bytes: Buffer, at: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, at);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function readUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** Of the body, as its varint says: four bytes that go on and one that does not. */
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
