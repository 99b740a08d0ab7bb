import { version_core as tensorflowVersion } from '@tensorflow/tfjs-core';

import type { EngineName } from './engine.js';
import { nativeStatus } from './native-kernels.js';

/** One line of `lockstep engines`. */
export type EngineReport = {
  readonly engine: EngineName;
  /** Whether the same inputs give the same bits, always and everywhere. */
  readonly deterministic: boolean;
} & (
  | { readonly available: true; /** What is behind it. */ readonly version: string }
  | { readonly available: false; readonly reason: string; /** What would provide it. */ readonly remedy: string }
);

/** All engines, fastest first. */
export function inspectEngines(): readonly EngineReport[] {
  const native = nativeStatus();
  return [
    {
      engine: 'native',
      deterministic: true,
      ...(native.available ? { available: true, version: `own kernels, ${native.variant}` } : native),
    },
    { engine: 'wasm', deterministic: true, available: true, version: 'own kernels, WebAssembly SIMD' },
    { engine: 'cpu', deterministic: true, available: true, version: `TensorFlow.js ${tensorflowVersion}` },
  ];
}
