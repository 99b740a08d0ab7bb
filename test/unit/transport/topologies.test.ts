import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weightsDigest } from '../../../src/core/digest.js';
import { frameBytes, readFrame, writeFrame } from '../../../src/transport/grpc/frame-codec.js';
import type { Delivery } from '../../../src/transport/memory/memory-link.js';
import { sumInMemory, treeSum } from '../collective/sums.js';

const length = 3000;
const count = 32;

/** Every frame as it is on the wire, written and read. */
function onTheWire(checksum: boolean): Delivery {
  const sequences = new Map<string, number>();
  return (from, to, frame, deliver) => {
    const sequence = sequences.get(`${from}>${to}`) ?? 0;
    sequences.set(`${from}>${to}`, sequence + 1);
    const bytes = Buffer.alloc(frameBytes(frame));
    writeFrame(frame, { runKey: new Uint8Array(8), sequence, checksum }, bytes);
    setImmediate(() => deliver(readFrame(bytes, checksum).frame));
  };
}

/** Some compute nothing, some twice or three times as much as others. */
const uneven = (worldSize: number): number[] => Array.from({ length: worldSize }, (_, rank) => [3, 1, 0, 2][rank % 4]!);
const even = (worldSize: number): number[] => new Array<number>(worldSize).fill(1);

test('one digest: any number of workers, any topology, even and uneven ranges, with checksums and without', async () => {
  const expected = weightsDigest(treeSum(count, length));
  for (const worldSize of [1, 2, 3, 5, 7, 8, 16])
    for (const topology of ['mesh', 'direct', 'star'] as const)
      for (const shares of [even(worldSize), uneven(worldSize)])
        for (const checksum of [false, true]) {
          const options = { topology, length, count, shares, rounds: 2 };
          const what = `${worldSize} workers, ${topology}, ranges by ${shares.join(':')}, checksum ${checksum}`;
          for (const { sum } of await sumInMemory(worldSize, options, onTheWire(checksum)))
            assert.equal(weightsDigest(sum), expected, what);
        }
});
