/**
 * Other sizes of tiles and blocks than those that the plans choose, kernel by kernel: what the choices are made from.
 */
import { buildModelSpec } from '../../src/engine/models/index.js';
import { readTopology } from '../../src/engine/topology.js';
import type { Tuning } from '../../src/engine/wgsl/compilation.js';
import { gpuDeviceOf } from '../../src/engine/wgsl/device.js';
import { compileGpuPlan } from '../../src/engine/wgsl/plan.js';
import { profile } from './profile.js';

const tile = (rows: number, columns: number, inner: number, threadRows: number, threadColumns: number): Tuning => ({
  tile: { rows, columns, inner, threadRows, threadColumns },
});

const variants: Readonly<Record<string, Tuning>> = {
  chosen: {},
  '4 filters': { filters: 4 },
  '6 filters': { filters: 6 },
  '8 filters': { filters: 8 },
  '10 filters': { filters: 10 },
  '12 filters': { filters: 12 },
  '1 picture': { pictures: 1 },
  '2 pictures': { pictures: 2 },
  '4 pictures': { pictures: 4 },
  '16 KiB': { bytes: 16_384 },
  '48 KiB': { bytes: 49_152 },
  'segments of 52': { segment: 52 },
  'segments of 20': { segment: 20 },
  'never sparse': { sparseFrom: 2 ** 30 },
  'always sparse': { sparseFrom: 1 },
  '132 groups': { groups: 132 },
  '528 groups': { groups: 528 },
  '1056 groups': { groups: 1056 },
  '32x32x32 by 4x4': tile(32, 32, 32, 4, 4),
  '64x32x32 by 4x4': tile(64, 32, 32, 4, 4),
  '64x64x16 by 8x4': tile(64, 64, 16, 8, 4),
  '64x64x16 by 8x8': tile(64, 64, 16, 8, 8),
  '64x64x8 by 4x4': tile(64, 64, 8, 4, 4),
  '128x64x16 by 8x8': tile(128, 64, 16, 8, 8),
  '128x64x8 by 8x8': tile(128, 64, 8, 8, 8),
  '128x128x8 by 8x8': tile(128, 128, 8, 8, 8),
};

/** Prints a line a variant: microseconds of each kernel. */
export async function sweep(
  device: GPUDevice,
  models: readonly string[],
  batches: readonly number[],
  isQuick: boolean,
) {
  const gpu = gpuDeviceOf(device);
  for (const model of models) {
    const topology = readTopology(buildModelSpec(model));
    for (const batch of batches) {
      for (const [name, tuning] of Object.entries(variants).slice(0, isQuick ? 2 : undefined)) {
        const made: GPUBuffer[] = [];
        const counting = { ...gpu, allocate: (bytes: number, label: string) => kept(made, gpu.allocate(bytes, label)) };
        const options = { topology, microBatchSize: batch, capacity: batch, seed: 1, tuning };
        try {
          const { gradient } = await compileGpuPlan({ gpu: counting, ...options });
          const times = await profile(device, gradient, { samples: batch, microBatch: batch }, isQuick ? 1 : 7);
          if (name === 'chosen') console.log(`${model}, batch ${batch}: ${gradient.map((k) => k.name).join(', ')}`);
          const line = times?.map(({ microseconds }) => microseconds.toFixed(0).padStart(6)).join('');
          console.log(`  ${name.padEnd(18)}${line}`);
        } catch (error) {
          console.log(`  ${name.padEnd(18)}${String(error).slice(0, 100)}`);
        }
        for (const buffer of made) buffer.destroy();
      }
    }
  }
}

function kept(all: GPUBuffer[], buffer: GPUBuffer): GPUBuffer {
  all.push(buffer);
  return buffer;
}
