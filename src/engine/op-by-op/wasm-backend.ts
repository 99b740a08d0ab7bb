/**
 * TensorFlow.js's wasm backend, with what it lacks: kernels of our own for gradients of layers, and for the rest, text and
 * complex numbers among it, those of the plain JavaScript backend. All are registered under the name `wasm`.
 *
 * It computes on the one thread that calls, in WebAssembly SIMD, which leaves nothing open but the bits of a NaN.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { setThreadsCount, setWasmPaths, type BackendWasm } from '@tensorflow/tfjs-backend-wasm';

import { tf } from '../tensorflow.js';
import { heapOf, lentKernel, type KernelCall, type WasmKernel } from './lent-kernels.js';
import { ownKernels } from './own-kernels.js';
import { isBeyondOwn, isBeyondStock } from './wasm-limits.js';

/** Calls so far by whose kernel computed: ours, the backend's, or one that the plain JavaScript backend lent. */
export const kernelCallsBySource = { own: 0, stock: 0, lent: 0 };

/** Taken out at once: as the backend of the highest priority it would be wanted, before it has started, by whoever builds a model. */
const startStock = tf.findBackendFactory('wasm') as () => Promise<BackendWasm>;
tf.removeBackend('wasm');

let isExtended = false;

/** Extends the backend, once in a process, and makes it TensorFlow.js's current one. @throws Error if it does not start */
export async function useWasmBackend(): Promise<void> {
  extendWasmBackend();
  await withoutNewListeners(async () => {
    if (!(await tf.setBackend('wasm')) || tf.getBackend() !== 'wasm')
      throw new Error("TensorFlow.js's wasm backend does not start");
  });
}

/** Registers everything; the backend itself starts when it is first used. */
export function extendWasmBackend(): void {
  if (isExtended) return;
  isExtended = true;
  setThreadsCount(1);
  const require = createRequire(import.meta.url);
  setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
  tf.registerBackend('wasm', async () => repaired(await startStock()), 0);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) extendKernel(kernelName, kernelFunc);
}

/** The first of these that can do it: our kernel, the backend's, that of the plain JavaScript backend. */
function extendKernel(kernelName: string, reference: tf.KernelFunc): void {
  const stock = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  const own = ownKernels[kernelName];
  const lent = lentKernel(reference);
  const kernelFunc: WasmKernel = (call) => {
    if (own && !isBeyondOwn(kernelName, call)) {
      kernelCallsBySource.own++;
      return own(call);
    }
    if (stock && !isBeyondStock(kernelName, call)) {
      kernelCallsBySource.stock++;
      return (stock.kernelFunc as unknown as WasmKernel)(call);
    }
    kernelCallsBySource.lent++;
    return lent(call);
  };
  if (stock) tf.unregisterKernel(kernelName, 'wasm');
  const config = stock ?? { kernelName, backendName: 'wasm' };
  tf.registerKernel({ ...config, kernelFunc: (call) => kernelFunc(call as unknown as KernelCall) });
}

/** What kernels cannot mend. */
function repaired(backend: BackendWasm): BackendWasm {
  // Complex numbers are kept as the rest is, in bytes, but it does not know how to read them.
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId, start, end) => {
    const { dtype, shape, memoryOffset } = backend.dataIdMap.get(dataId);
    if (dtype !== 'complex64') return readSync(dataId, start, end);
    const floats = new Float32Array(heapOf(backend), memoryOffset, 2 * tf.util.sizeFromShape(shape));
    return floats.slice(2 * (start ?? 0), end === undefined ? undefined : 2 * end);
  };
  return backend;
}

const listened = ['uncaughtException', 'unhandledRejection'] as const;

/** Emscripten's start-up code would turn every rejection that nobody handles into an exception of its own making. */
async function withoutNewListeners(start: () => Promise<void>): Promise<void> {
  const before = listened.map((event) => process.listeners(event as 'uncaughtException'));
  await start();
  for (const [i, event] of listened.entries())
    for (const listener of process.listeners(event as 'uncaughtException'))
      if (!before[i]!.includes(listener)) process.off(event, listener);
}
