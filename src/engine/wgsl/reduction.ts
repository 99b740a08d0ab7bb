/** Adds up what parts of micro-batches gave: a fixed order of additions, whatever ran first. */
import { microBatchesOf, type PartialSums } from './compilation.js';
import type { GpuArray, KernelSource } from './program.js';

/** Elements that a workgroup adds up, and threads that share each element's parts. */
interface Sharing {
  readonly elements: number;
  readonly lanes: number;
}

/** Where elements are many they keep the device busy; few elements of many parts are shared. */
const [alone, shared]: Sharing[] = [
  { elements: 256, lanes: 1 },
  { elements: 16, lanes: 16 },
];
/** Arrays of parts that one kernel reads: devices bind eight arrays at least. */
const perKernel = 6;

/** @param sums - [micro-batch][length] @param shift - of the places in it */
export function reductions(
  partials: readonly PartialSums[],
  sums: GpuArray,
  length: number,
  shift = 0,
): readonly KernelSource[] {
  const isShared = ({ size, parts }: PartialSums): boolean => parts >= 32 && size < 16_384;
  return [
    ...inTurns(partials.filter(isShared), (some) => reduction(some, shared!, sums, length, shift)),
    ...inTurns(
      partials.filter((sum) => !isShared(sum)),
      (some) => reduction(some, alone!, sums, length, shift),
    ),
  ];
}

function inTurns(all: readonly PartialSums[], make: (some: readonly PartialSums[]) => KernelSource): KernelSource[] {
  const sources: KernelSource[] = [];
  for (let i = 0; i < all.length; i += perKernel) sources.push(make(all.slice(i, i + perKernel)));
  return sources;
}

function reduction(
  partials: readonly PartialSums[],
  { elements, lanes }: Sharing,
  sums: GpuArray,
  length: number,
  shift: number,
): KernelSource {
  let first = 0;
  const cases = partials.map(({ size, parts, offset }, i) => {
    const begin = first;
    first += Math.ceil(size / elements);
    return `
  if (group.x >= ${begin}u && group.x < ${first}u) {
    let e = (group.x - ${begin}u) * ${elements}u + element;
    if (e < ${size}u) {
      let base = group.y * ${parts * size}u + e;
      for (var p = lane; p < ${parts}u; p += ${lanes}u) { sum += parts_${i}[base + p * ${size}u]; }
      to = ${offset - shift}u + e;
    }
  }`;
  });
  return {
    name: 'sums of parts',
    reads: Object.fromEntries(partials.map(({ array }, i) => [`parts_${i}`, array])),
    writes: { sums },
    code: `
${lanes === 1 ? '' : `var<workgroup> shares: array<f32, ${elements * lanes}>;`}
@compute @workgroup_size(${elements * lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let element = thread % ${elements}u;
  let lane = thread / ${elements}u;
  var sum = 0.0;
  var to = 0xffffffffu;
  ${cases.join('')}
  ${lanes === 1 ? '' : addLanes(elements, lanes)}
  if (lane == 0u && to != 0xffffffffu) { sums[group.y * ${length}u + to] = sum; }
}`,
    groups: (batch) => [first, microBatchesOf(batch), 1],
  };
}

function addLanes(elements: number, lanes: number): string {
  return `
  shares[thread] = sum;
  for (var half = ${lanes / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (lane < half) { shares[thread] += shares[thread + half * ${elements}u]; }
  }
  sum = shares[thread];`;
}
