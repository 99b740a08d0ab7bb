/** TensorFlow.js's WebGPU backend on a GPU of this machine, in Node.js. It is made for browsers and can only be read by waiting. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

import { tf } from '../tensorflow.js';
import { loadDawn, reasonOf } from '../webgpu/dawn.js';
import { openGpu, type Gpu } from '../webgpu/device.js';
import { fault } from '../webgpu/faults.js';
import { ownGpuKernels, type GpuKernel, type GpuKernelCall } from './webgpu-kernels.js';
import { lentFromHost } from './webgpu-lending.js';

type BackendPackage = typeof import('@tensorflow/tfjs-backend-webgpu');

/** Calls so far by whose kernel computed: ours, the backend's, or one that the plain JavaScript backend lent. */
export const gpuKernelCallsBySource = { own: 0, stock: 0, lent: 0 };

/** They do not look at indices, which the lent ones do where they can. */
const carelessKernels = new Set(['SparseSegmentMean', 'SparseSegmentSum']);

/** One in a thread, as TensorFlow.js has one backend of a name; engines share it. */
let opened: { readonly wanted: string; readonly gpu: Gpu } | undefined;

/**
 * Opens the GPU, if it is not the one that this thread has open already, and works, and makes the backend TensorFlow.js's current one.
 *
 * @param wanted - `auto`, an index or a part of a name; where another one was open, what ran there is at its end
 * @throws what `openGpu` throws; LockstepError `GPU_PACKAGE_UNUSABLE`
 */
export async function useWebgpuBackend(wanted = 'auto'): Promise<Gpu> {
  if (opened?.wanted !== wanted || opened.gpu.loss()) {
    opened?.gpu.close();
    opened = undefined;
    opened = { wanted, gpu: await startWebgpuBackend(wanted) };
  }
  if (!(await tf.setBackend('webgpu'))) throw new Error("TensorFlow.js's WebGPU backend does not start");
  return opened.gpu;
}

/** Registers the backend on a GPU; TensorFlow.js starts it. */
export async function startWebgpuBackend(wanted: string): Promise<Gpu> {
  const gpu = await openGpu(wanted);
  const { WebGPUBackend } = await loadBackendPackage();
  tf.removeBackend('webgpu'); //                                      it would open a GPU of its own choice
  tf.registerBackend('webgpu', () => repaired(new WebGPUBackend(gpu.device, gpu.info)), 0);
  extendKernels();
  return gpu;
}

let isExtended = false;

/** Once in a thread: kernels are registered for a backend's name. */
function extendKernels(): void {
  if (isExtended) return;
  isExtended = true;
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu')) {
    const config = tf.getKernel(kernelName, 'webgpu') as tf.KernelConfig | undefined;
    const kernel = config?.kernelFunc as unknown as GpuKernel | undefined;
    const stock = kernel && counted('stock', kernel);
    const own = kernel && ownGpuKernels[kernelName]?.(kernel);
    const isLent = !config || carelessKernels.has(kernelName);
    const lent = isLent ? counted('lent', lentFromHost(kernelName, kernelFunc, stock)) : undefined;
    const chosen = own ? counted('own', own) : (lent ?? stock!);
    if (config) tf.unregisterKernel(kernelName, 'webgpu');
    tf.registerKernel({
      ...(config ?? { kernelName, backendName: 'webgpu' }),
      kernelFunc: (call) => chosen(call as unknown as GpuKernelCall),
    });
  }
}

function counted(source: keyof typeof gpuKernelCallsBySource, kernel: GpuKernel): GpuKernel {
  return (call) => {
    gpuKernelCallsBySource[source]++;
    return kernel(call);
  };
}

/** What kernels cannot mend. */
function repaired(backend: WebGPUBackend): WebGPUBackend {
  // A tensor may be disposed of while somebody waits for its values, who gets them nevertheless.
  const own = backend as unknown as { convertAndCacheOnCPU(dataId: object, values: unknown): unknown };
  const keep = own.convertAndCacheOnCPU.bind(backend);
  own.convertAndCacheOnCPU = (dataId, values) => (backend.tensorMap.has(dataId) ? keep(dataId, values) : values);
  return backend;
}

async function loadBackendPackage(): Promise<BackendPackage> {
  await loadDawn();
  pretendBrowser();
  try {
    return await import('@tensorflow/tfjs-backend-webgpu');
  } catch (error) {
    throw fault('GPU_PACKAGE_UNUSABLE', { name: '@tensorflow/tfjs-backend-webgpu', reason: reasonOf(error) }, error);
  }
}

/** The backend asks whether `navigator.gpu` is there, and nothing of it. Node.js has no navigator before version 21. */
function pretendBrowser(): void {
  const scope = globalThis as { navigator?: object };
  if (!scope.navigator) Object.defineProperty(scope, 'navigator', { value: {}, configurable: true });
  if (!('gpu' in scope.navigator!)) Object.defineProperty(scope.navigator!, 'gpu', { value: {}, configurable: true });
}
