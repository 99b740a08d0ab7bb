/** TensorFlow.js's WebGPU backend on a GPU of this machine, in Node.js. It is made for browsers and can only be read by waiting. */
import { openGpu, type Gpu } from '../webgpu/device.js';
import { loadDawn, reasonOf } from '../webgpu/dawn.js';
import { fault } from '../webgpu/faults.js';
import { tf } from '../tensorflow.js';

type BackendPackage = typeof import('@tensorflow/tfjs-backend-webgpu');

/** One in a thread, as TensorFlow.js has one backend of a name; engines share it. */
let opened: { readonly wanted: string; readonly gpu: Gpu } | undefined;

/**
 * Opens the GPU, if it is not the one that this thread has open already, and makes the backend TensorFlow.js's current one.
 *
 * @param wanted - `auto`, an index or a part of a name; where another one was open, what ran there is at its end
 * @throws what `openGpu` throws; LockstepError `GPU_PACKAGE_UNUSABLE`
 */
export async function useWebgpuBackend(wanted = 'auto'): Promise<Gpu> {
  if (opened?.wanted !== wanted) {
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
  tf.registerBackend('webgpu', () => new WebGPUBackend(gpu.device, gpu.info), 0);
  return gpu;
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
