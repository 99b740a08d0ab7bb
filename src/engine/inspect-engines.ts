import { cpus } from 'node:os';

import { version_core as tensorflowVersion } from '@tensorflow/tfjs-core';

import { LockstepError } from '../core/errors.js';
import type { EngineName } from './engine.js';
import { tensorflowStatus } from './libtensorflow/status.js';
import { nativeStatus } from './native-kernels.js';
import { listAdapters } from './webgpu/adapters.js';

/** One line of `lockstep engines`. */
export type EngineReport = {
  readonly engine: EngineName;
  /** What `--gpu` may give to have this one, for engines that compute on a GPU. */
  readonly gpu?: string;
  /** Whether the same inputs give the same bits, always and everywhere. */
  readonly deterministic: boolean;
} & (
  | {
      readonly available: true;
      /** What is behind it. */
      readonly version: string;
      /** What it computes on. */
      readonly device: string;
    }
  | { readonly available: false; readonly reason: string; /** What would provide it. */ readonly remedy: string }
);

/** All engines, fastest first; those of GPUs, whose speed depends on the GPU, once for each. */
export async function inspectEngines(): Promise<readonly EngineReport[]> {
  const native = nativeStatus();
  const device = cpus()[0]?.model.trim() || process.arch;
  return [
    {
      engine: 'native',
      deterministic: true,
      ...(native.available ? { available: true, version: `own kernels, ${native.variant}`, device } : native),
    },
    { engine: 'wasm', deterministic: true, available: true, version: 'own kernels, WebAssembly SIMD', device },
    { engine: 'cpu', deterministic: true, available: true, version: `TensorFlow.js ${tensorflowVersion}`, device },
    ...(await inspectGpus()),
    inspectTensorflow(device),
  ];
}

function inspectTensorflow(processor: string): EngineReport {
  const engine = { engine: 'tensorflow', deterministic: false } as const;
  const status = tensorflowStatus();
  if (!status.available) return { ...engine, ...status };
  const { version } = status;
  return { ...engine, available: true, version, device: version.includes(' on GPU') ? 'GPU' : processor };
}

async function inspectGpus(): Promise<readonly EngineReport[]> {
  const engine = { engine: 'webgpu', deterministic: false } as const;
  try {
    return (await listAdapters()).map(({ index, name, driver }) => {
      const version = driver === '' ? 'WebGPU' : `WebGPU, ${driver}`;
      return { ...engine, gpu: String(index), available: true, version, device: name };
    });
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    return [{ ...engine, available: false, reason: error.message, remedy: error.remedy }];
  }
}
