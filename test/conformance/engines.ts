/** Which of our backends TensorFlow.js's suite can be run on. It is loaded in the bundle alone: bundle.ts. */
import { findInstallations } from '../../src/engine/libtensorflow/installations.js';
import { loadTensorflow } from '../../src/engine/libtensorflow/load.js';
import { gpuKernelCallsBySource, startWebgpuBackend } from '../../src/engine/op-by-op/webgpu-backend.js';
import { extendWasmBackend, kernelCallsBySource } from '../../src/engine/op-by-op/wasm-backend.js';

import '../../src/engine/tensorflow.js';
import { testGpu } from '../unit/engine/test-gpu.js';

interface Conforming {
  /** TensorFlow.js's name of the backend behind the engine. */
  readonly backend: string;
  /** Whether values can be read without waiting. */
  readonly isDataSync: boolean;
  /** Specs that there are at least; less is not the suite. Those that read without waiting are not there for every backend. */
  readonly specsAtLeast: number;
  /** Registers the backend; TensorFlow.js starts it. */
  readonly load: () => unknown;
  /** What the backend can say of its own about who computed. */
  readonly sources?: () => Readonly<Record<string, number>>;
}

export const conformingEngines: Readonly<Record<string, Conforming>> = {
  cpu: { backend: 'cpu', isDataSync: true, specsAtLeast: 4_230, load: () => undefined },
  wasm: {
    backend: 'wasm',
    isDataSync: true,
    specsAtLeast: 4_230,
    load: extendWasmBackend,
    sources: () => kernelCallsBySource,
  },
  webgpu: {
    backend: 'webgpu',
    isDataSync: false,
    specsAtLeast: 4_170,
    load: () => startWebgpuBackend(testGpu),
    sources: () => gpuKernelCallsBySource,
  },
  tensorflow: { backend: 'tensorflow', isDataSync: true, specsAtLeast: 4_230, load: loadChosenTensorflow },
};

/** The one that main.ts found to work, and named in LOCKSTEP_TENSORFLOW. */
function loadChosenTensorflow(): void {
  const [found] = findInstallations();
  if (!found || 'reason' in found) throw new Error(`engine tensorflow: ${found?.reason}`);
  loadTensorflow(found);
}
