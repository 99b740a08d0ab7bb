import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AllReduce } from '../../../src/collective/all-reduce.js';
import type { Codec } from '../../../src/collective/codec.js';
import { Abandoned } from '../../../src/collective/faults.js';
import { encodingOrder, ownerMap, sliceFloatsMax, type Topology } from '../../../src/collective/owner-map.js';
import { rangesByShare } from '../../../src/collective/ranges.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { randomStream } from '../../../src/core/random.js';
import { type MemoryLink, memoryLinks } from '../../../src/transport/memory/memory-link.js';
import { add, bitsOf, leaf, nodesOf, shuffledDelivery, sumInMemory, treeSum } from './sums.js';

const needs = () => ({ workspace: new Workspace(plainVectors), nowMs: () => 0 });
const round = { generation: 1, step: 1, purpose: 'gradient' } as const;

test('every rank gets the sum of the canonical tree, bit for bit, in any topology and order of arrival', async () => {
  const cases = fc.record({
    worldSize: fc.integer({ min: 1, max: 6 }),
    topology: fc.constantFrom<Topology>('mesh', 'direct', 'star'),
    length: fc.integer({ min: 1, max: 200 }),
    count: fc.integer({ min: 1, max: 13 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ worldSize, topology, length, count, seed }) => {
      const random = randomStream(seed, 'shares');
      const shares = Array.from({ length: worldSize }, () => random.uint32() % 4);
      shares[0]! += 1;
      const expected = new Uint32Array(treeSum(count, length).buffer);
      const options = { topology, length, count, shares, rounds: 3 };
      const sums = await sumInMemory(worldSize, options, shuffledDelivery(seed));
      for (const sum of sums) assert.deepEqual(bitsOf(sum), expected);
    }),
    { seed: 4, numRuns: 150 },
  );
});

test('another order of the same additions would give other bits, so the test above can fail', () => {
  const [a, b, c] = [leaf(0, 100), leaf(1, 100), leaf(2, 100)];
  assert.notDeepEqual(add(add(a, b), c), add(a, add(b, c)));
});

for (const topology of ['mesh', 'direct', 'star'] as const) {
  test(`vectors of several slices arrive whole: ${topology}`, async () => {
    const length = 2 * sliceFloatsMax + 77;
    const sums = await sumInMemory(3, { topology, length, count: 3, shares: [1, 1, 1] });
    const expected = treeSum(3, length);
    for (const { sum } of sums) assert.deepEqual(sum, expected);
  });
}

test('each slice is told once, as soon as its sum is there', async () => {
  const length = 3 * sliceFloatsMax;
  const [link] = memoryLinks(1, 1);
  const allReduce = new AllReduce({ link: link!, ...needs() }, { topology: 'mesh', length, exactTail: 0 });
  const told: number[] = [];
  const sum = new Float32Array(length);
  const onSlice = (begin: number, end: number): void => {
    told.push(begin, end);
    assert.deepEqual(sum.subarray(begin, end), leaf(0, length).subarray(begin, end));
  };
  const reduction = allReduce.open({ round, ranges: [{ first: 0, end: 1 }], count: 1, sum, onSlice });
  for (const node of nodesOf({ first: 0, end: 1 }, 1, length)) reduction.add(node);
  await reduction.finish();
  assert.deepEqual(
    told,
    [0, 1, 1, 2, 2, 3].map((i) => i * sliceFloatsMax),
  );
});

test('NaN and infinity reach every rank', async () => {
  const values = [Float32Array.of(NaN, 1, Infinity), Float32Array.of(1, 2, -Infinity)];
  const sums = await Promise.all(
    memoryLinks(2, 1).map(async (link) => {
      const allReduce = new AllReduce({ link, ...needs() }, { topology: 'mesh', length: 3, exactTail: 0 });
      const sum = new Float32Array(3);
      const reduction = allReduce.open({ round, ranges: rangesByShare(2, [1, 1]), count: 2, sum });
      reduction.add({ first: link.rank, end: link.rank + 1, values: values[link.rank]! });
      await reduction.finish();
      return sum;
    }),
  );
  for (const sum of sums) assert.deepEqual([...sum], [NaN, 3, NaN]);
});

test('no rank finishes while a member is missing, and sealing frees those who wait', async () => {
  const links = memoryLinks(3, 1, (from, _to, _frame, deliver) => (from === 2 ? undefined : deliver()));
  const outcomes = links.slice(0, 2).map(async (link) => {
    const allReduce = new AllReduce({ link, ...needs() }, { topology: 'mesh', length: 40, exactTail: 0 });
    const ranges = rangesByShare(2, [1, 1, 0]); //                   rank 2 has nothing to compute, and is needed all the same
    const reduction = allReduce.open({ round, ranges, count: 2, sum: new Float32Array(40) });
    for (const node of nodesOf(ranges[link.rank]!, 2, 40)) reduction.add(node);
    await reduction.finish();
  });
  let finished = 0;
  for (const outcome of outcomes) outcome.then(() => (finished += 1)).catch(() => undefined);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(finished, 0);
  for (const link of links) link.close('test');
  for (const outcome of outcomes) await assert.rejects(outcome, Abandoned);
});

/** Keeps the upper half of each float: as lossy as a codec can be while the test can say what must come out. */
const upperHalf: Codec = {
  byteLength: (length) => Math.ceil(length / 2) * 4,
  encode(values, _place, into) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const halves = new Uint16Array(into.buffer, into.byteOffset, into.byteLength / 2);
    for (let i = 0; i < bits.length; i++) bits[i] = (halves[i] = bits[i]! >>> 16) << 16;
  },
  decode(bytes, values) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
  },
  forget: () => undefined,
};

test('with a codec everybody computes with the decoded values, and the tail stays exact', async () => {
  const length = 101;
  const tail = 5;
  for (const topology of ['mesh', 'direct'] as const) {
    const links = memoryLinks(3, 1, (_from, _to, frame, deliver) => {
      const offset = new Uint8Array(frame.payload.length + 1).subarray(1); // payloads may lie anywhere
      offset.set(frame.payload);
      setImmediate(() => deliver({ ...frame, payload: offset }));
    });
    const ranges = rangesByShare(5, [1, 1, 1]);
    const sums = await Promise.all(
      links.map(async (link) => {
        const options = { topology, length, exactTail: tail };
        const allReduce = new AllReduce({ link, ...needs(), codec: upperHalf }, options);
        const sum = new Float32Array(length);
        const reduction = allReduce.open({ round, ranges, count: 5, sum });
        for (const node of nodesOf(ranges[link.rank]!, 5, length)) reduction.add(node);
        await reduction.finish();
        return sum;
      }),
    );
    for (const sum of sums) assert.deepEqual(sum, sums[0]);
    const exact = treeSum(5, length);
    assert.deepEqual(sums[0]!.subarray(-tail), exact.subarray(-tail));
    assert.notDeepEqual(sums[0], exact);
    for (let i = 0; i < length; i++) assert.ok(Math.abs(sums[0]![i]! - exact[i]!) <= 1e8 / 64, `element ${i}`);
  }
});

test('slices are disjoint, complete, aligned and not too long', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 * sliceFloatsMax }),
      fc.integer({ min: 1, max: 17 }),
      fc.constantFrom<Topology>('mesh', 'direct', 'star'),
      (length, worldSize, topology) => {
        const map = ownerMap(topology, length, worldSize);
        assert.equal(map.at(-1)!.end, length);
        map.forEach(({ begin, end }, i) => {
          assert.equal(begin, i === 0 ? 0 : map[i - 1]!.end);
          assert.ok(end > begin && end - begin <= sliceFloatsMax + 16);
          assert.ok(begin % 16 === 0);
        });
      },
    ),
    { seed: 5 },
  );
});

test('bytes that a member sends grow as 2 (N - 1) / N in a mesh, within 3 per cent', async () => {
  const length = 100_000;
  for (let worldSize = 2; worldSize <= 16; worldSize++) {
    const sent = new Array<number>(worldSize).fill(0);
    const shares = new Array<number>(worldSize).fill(1);
    await sumInMemory(
      worldSize,
      { topology: 'mesh', length, count: worldSize, shares },
      (from, _to, frame, deliver) => {
        sent[from]! += frame.payload.byteLength + 64;
        deliver();
      },
    );
    const expected = (2 * (worldSize - 1) * length * 4) / worldSize;
    for (const bytes of sent) assert.ok(Math.abs(bytes / expected - 1) < 0.03, `${worldSize} members: ${bytes} bytes`);
  }
});

test('says whose nodes came last', async () => {
  const held: (() => void)[] = [];
  const finished = sumInMemory(
    3,
    { topology: 'mesh', length: 64, count: 3, shares: [1, 1, 1] },
    (from, _to, { kind }, deliver) => {
      if (from === 2 && kind === 'nodes') held.push(deliver);
      else deliver();
    },
  );
  await new Promise(setImmediate); //                               everything else has arrived
  assert.ok(held.length > 0);
  for (const deliver of held) deliver();
  const [first, second] = await finished;
  assert.deepEqual([first?.facts.slowestRank, second?.facts.slowestRank], [2, 2]);
});

test('alone there is nobody to wait for', async () => {
  const [only] = await sumInMemory(1, { topology: 'mesh', length: 8, count: 1, shares: [1] });
  assert.equal(only?.facts.slowestRank, -1);
});

test('with a codec, slices of different owners are encoded in turn', () => {
  assert.deepEqual(encodingOrder(ownerMap('mesh', 6 * sliceFloatsMax, 2)), [0, 3, 1, 4, 2, 5]);
  assert.deepEqual(encodingOrder(ownerMap('direct', 3 * sliceFloatsMax, 2)), [0, 1, 2]);
});

test('with a codec, a slice is encoded when the one before was taken, and none once the round has failed', async () => {
  const length = 8 * sliceFloatsMax;
  const taken: (() => void)[] = [];
  let encoded = 0;
  const codec: Codec = {
    byteLength: (floats) => floats * 4,
    encode: () => void encoded++,
    decode: () => undefined,
    forget: () => undefined,
  };
  const [link, peer] = memoryLinks(2, 1) as [MemoryLink, MemoryLink];
  link.send = async (_to, { kind }) =>
    kind === 'header' ? undefined : new Promise<void>((resolve) => void taken.push(resolve));
  const needs = { link, workspace: new Workspace(plainVectors), nowMs: () => 0, codec };
  const allReduce = new AllReduce(needs, { topology: 'direct', length, exactTail: 0 });
  const round = { generation: 1, step: 1, purpose: 'gradient' } as const;
  const ranges = rangesByShare(2, [1, 1]);
  const reduction = allReduce.open({ round, ranges, count: 2, sum: new Float32Array(length) });
  reduction.add({ first: 0, end: 1, values: new Float32Array(length) });
  const turns = () => new Promise(setImmediate);
  await turns();
  assert.equal(encoded, 1);
  taken.shift()!();
  await turns();
  assert.equal(encoded, 2);
  link.close('membership is changing');
  taken.shift()!();
  await turns();
  assert.equal(encoded, 2);
  await assert.rejects(reduction.finish(), Abandoned);
  peer.close('test over');
});

test('a peer that has waited gets our node before we add anything, and our header with it', async () => {
  const told: string[] = [];
  const [mine, theirs] = memoryLinks(2, 1, (from, _to, { kind }, deliver) => {
    if (from === 0) told.push(kind);
    deliver();
  });
  let depart = (): void => assert.fail('nothing was sent');
  const link = Object.assign(mine!, { departed: () => new Promise<void>((resolve) => (depart = resolve)) });
  const [ours, other] = [link, theirs!].map(
    (end) => new AllReduce({ link: end, ...needs() }, { topology: 'direct', length: 40, exactTail: 0 }),
  );
  const plan = { round, ranges: rangesByShare(2, [1, 1]), count: 2 };
  const peer = other!.open({ ...plan, sum: new Float32Array(40) });
  peer.add(nodesOf({ first: 1, end: 2 }, 2, 40)[0]!);
  const sum = new Float32Array(40);
  const reduction = ours!.open({ ...plan, sum, headerWaits: true, onSlice: () => told.push('added') });
  await Promise.resolve();
  assert.deepEqual(told, []);
  reduction.add(nodesOf({ first: 0, end: 1 }, 2, 40)[0]!);
  assert.deepEqual(told, ['header', 'nodes']);
  await peer.finish();
  assert.equal(reduction.isOver, false);
  depart();
  await reduction.finish();
  assert.deepEqual(told, ['header', 'nodes', 'added']);
  assert.deepEqual(bitsOf({ sum }), new Uint32Array(treeSum(2, 40).buffer));
});

test('who has nothing to compute says that it is there when it waits for the others, or is told to', async () => {
  const heard: number[] = [];
  const links = memoryLinks(3, 1, (from, _to, { kind }, deliver) => {
    if (kind === 'header') heard.push(from);
    deliver();
  });
  const plan = { round, ranges: rangesByShare(1, [1, 0, 0]), count: 1, headerWaits: true };
  const [first, second, third] = links.map((link) =>
    new AllReduce({ link, ...needs() }, { topology: 'mesh', length: 40, exactTail: 0 }).open({
      ...plan,
      sum: new Float32Array(40),
    }),
  );
  third!.sendHeader();
  third!.sendHeader();
  assert.deepEqual(heard, [2, 2], 'to both, once');
  const waiting = second!.finish();
  first!.add(nodesOf({ first: 0, end: 1 }, 1, 40)[0]!);
  await Promise.all([waiting, first!.finish(), third!.finish()]);
  assert.deepEqual(heard, [2, 2, 1, 1, 0, 0]);
});

test('who owns all of a vector and sends nothing adds its node no sooner than others: its engine is told first', async () => {
  const [first, second] = memoryLinks(2, 1);
  let depart = (): void => assert.fail('nobody asked for it');
  const link = Object.assign(second!, { departed: () => new Promise<void>((resolve) => (depart = resolve)) });
  const [theirs, ours] = [first!, link].map((end) =>
    new AllReduce({ link: end, ...needs() }, { topology: 'mesh', length: 10, exactTail: 0 }).open({
      round,
      ranges: rangesByShare(2, [1, 1]),
      count: 2,
      sum: new Float32Array(10),
    }),
  );
  theirs!.add(nodesOf({ first: 0, end: 1 }, 2, 10)[0]!);
  ours!.add(nodesOf({ first: 1, end: 2 }, 2, 10)[0]!);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assert.equal(ours!.isOver, false);
  depart();
  await Promise.all([theirs!.finish(), ours!.finish()]);
});
