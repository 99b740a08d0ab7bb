/**
 * What one frame costs beside the wire, on one thread: encode, put together and decode, add; for the gradient of LeNet-5 and
 * for a whole slice. The fastest of many calls counts, since a call can only be disturbed.
 *
 *     npm run build && node dist/bench/frame-costs.js
 */
import { createArena } from '../src/core/arena.js';
import { sliceFloatsMax } from '../src/collective/owner-map.js';
import { arenaVectors } from '../src/engine/arena-vectors.js';
import { fastestKernels } from '../src/engine/fastest-kernels.js';
import {
  checkPayload,
  frameBytes,
  placedFrameBytes,
  readFrame,
  writeFrame,
  writePlacedFrame,
  type Place,
} from '../src/transport/grpc/frame-codec.js';
import { prefixBytes, writePrefix } from '../src/transport/grpc/grpc-http2.js';
import { MessageAssembler } from '../src/transport/grpc/message-assembler.js';
import { PeerSlots } from '../src/transport/grpc/peer-slots.js';
import { SlotFile, tmpfsFolder } from '../src/transport/grpc/slot-file.js';

const calls = 2000;
/** What HTTP/2 cuts data into, and Node hands out. */
const http2FrameBytes = 16_384;

function fastestMicroseconds(call: () => void): number {
  let best = Infinity;
  for (let i = 0; i < calls; i++) {
    const begin = performance.now();
    call();
    best = Math.min(best, performance.now() - begin);
  }
  return best * 1e3;
}

const arena = createArena();
const vectors = arenaVectors(arena, await fastestKernels(arena));
/** A slot of this process, read as a peer would read it. */
const key = Buffer.alloc(32, 1);
const slots = SlotFile.create(key, tmpfsFolder);
const peerSlots = slots && PeerSlots.open(slots.offer, key, 2);
let read = 0;

console.log('   floats  through  checksum   encode us   decode us   add us');
for (const floats of [44_428, sliceFloatsMax]) {
  const [own, theirs] = [vectors.allocate(floats), vectors.allocate(floats)];
  const payload = new Uint8Array(own.buffer, own.byteOffset, own.byteLength);
  const place = new Uint8Array(theirs.buffer, theirs.byteOffset, theirs.byteLength);
  const round = { generation: 1, step: 1, purpose: 'gradient' } as const;
  const frame = { kind: 'nodes', round, slice: 0, node: 0, payload } as const;
  for (const checksum of [false, true]) {
    const length = frameBytes(frame);
    const message = Buffer.alloc(prefixBytes + length);
    writePrefix(message, length);
    const envelope = { runKey: new Uint8Array(8), sequence: 0, checksum };
    const encode = fastestMicroseconds(() => writeFrame(frame, envelope, message, prefixBytes));
    const assembler = new MessageAssembler((bytes) => {
      place.set(readFrame(bytes, checksum).frame.payload);
      if (checksum) writeFrame(frame, envelope, message, prefixBytes); // reading takes a frame's checksum out
    });
    const decodeAll = fastestMicroseconds(() => {
      for (let at = 0; at < message.byteLength; at += http2FrameBytes)
        assembler.push(message.subarray(at, at + http2FrameBytes));
    });
    const decode = checksum ? decodeAll - encode : decodeAll;
    const add = fastestMicroseconds(() => vectors.add(theirs, own));
    const print = (through: string, ...costs: number[]): void => {
      const figures = costs.map((us) => us.toFixed(0).padStart(11)).join('');
      console.log(
        `${String(floats).padStart(9)}  ${through.padEnd(7)}  ${checksum ? 'CRC32   ' : 'none    '}${figures}`,
      );
    };
    print('stream', encode, decode, add);
    if (!slots || !peerSlots) continue;
    const placed = Buffer.alloc(placedFrameBytes);
    const send = (): void => {
      const at = slots.place(frame, 1) as Place;
      writePlacedFrame(frame, { ...at, payloadsRead: 0 }, envelope, placed);
      slots.read(1, ++read);
    };
    const encodePlaced = fastestMicroseconds(send);
    const decodePlaced = fastestMicroseconds(() => {
      const bytes = Buffer.from(placed);
      const came = readFrame(bytes, checksum);
      peerSlots.read(came.place!, place);
      checkPayload(came, place);
    });
    print('memory', encodePlaced, decodePlaced, add);
  }
}
