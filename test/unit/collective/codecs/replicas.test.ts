import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllReduce } from '../../../../src/collective/all-reduce.js';
import { createCodec } from '../../../../src/collective/codecs/registry.js';
import { rangesByShare } from '../../../../src/collective/ranges.js';
import { TreeSum } from '../../../../src/collective/tree.js';
import { plainVectors, Workspace } from '../../../../src/collective/workspace.js';
import { randomStream } from '../../../../src/core/random.js';
import type { LossyCodec } from '../../../../src/core/run-spec.js';
import { memoryLinks } from '../../../../src/transport/memory/memory-link.js';

const length = 70_003; //                                            more than a piece, and slices that end anywhere
const tail = 2;
const count = 6;

function leaf(step: number, index: number): Float32Array {
  const random = randomStream(9, 'leaf', step, index);
  return Float32Array.from({ length }, (_, i) => (i < length - tail ? random.uniform() - 0.5 : step + index));
}

/** The sums of each step on each rank. */
async function train(spec: LossyCodec, topology: 'mesh' | 'direct', shares: readonly number[], steps: number) {
  const links = memoryLinks(shares.length, 1);
  const ranges = rangesByShare(count, shares);
  return Promise.all(
    links.map(async (link) => {
      const needs = { link, workspace: new Workspace(plainVectors), nowMs: () => 0, codec: createCodec(spec, 3) };
      const allReduce = new AllReduce(needs, { topology, length, exactTail: tail });
      const sums: Float32Array[] = [];
      for (let step = 1; step <= steps; step++) {
        const sum = new Float32Array(length);
        const reduction = allReduce.open({
          round: { generation: 1, step, purpose: 'gradient' },
          ranges,
          count,
          sum,
        });
        const tree = new TreeSum<Float32Array>(count, (left, right) => left.map((v, i) => v + right[i]!));
        for (let i = ranges[link.rank]!.first; i < ranges[link.rank]!.end; i++)
          tree.push({ first: i, end: i + 1 }, leaf(step, i));
        for (const { span, value } of tree.nodes) reduction.add({ ...span, values: value });
        await reduction.finish();
        sums.push(sum);
      }
      return sums;
    }),
  );
}

const base = { ratio: 0.2, rounding: 'nearest' } as const;
const specs: readonly LossyCodec[] = [
  { ...base, name: 'bf16' },
  { ...base, name: 'int8' },
  { ...base, name: 'int8', rounding: 'stochastic' },
  { ...base, name: 'topk' },
];

for (const spec of specs) {
  const what = `${spec.name}${spec.name === 'int8' ? ` ${spec.rounding}` : ''}`;
  for (const topology of ['mesh', 'direct'] as const) {
    test(`${what}, ${topology}: all replicas compute with the same bits; counts are exact; what is lost comes later`, async () => {
      const steps = 4;
      const ranks = await train(spec, topology, [3, 1, 0, 2], steps);
      for (const sums of ranks) assert.deepEqual(sums, ranks[0]);
      assert.deepEqual((await train(spec, topology, [3, 1, 0, 2], steps))[1], ranks[1], 'and again');
      let [wanted, missed] = [0, 0];
      const rest = new Float64Array(length - tail);
      for (const [s, sum] of ranks[0]!.entries()) {
        const exact = Array.from({ length: count }, (_, i) => leaf(s + 1, i)).reduce((a, b) =>
          a.map((v, i) => v + b[i]!),
        );
        assert.deepEqual([...sum.subarray(length - tail)], [...exact.subarray(length - tail)]);
        for (let i = 0; i < rest.length; i++) {
          rest[i]! += exact[i]! - sum[i]!;
          wanted += exact[i]! ** 2;
        }
      }
      for (const value of rest) missed += value ** 2;
      const bound = { bf16: 0.01, int8: 0.02, topk: 1 }[spec.name]; // the share that is still on its way after four steps
      assert.ok(missed > 0 && Math.sqrt(missed / wanted) < bound, `${Math.sqrt(missed / wanted)}`);
    });
  }
}
