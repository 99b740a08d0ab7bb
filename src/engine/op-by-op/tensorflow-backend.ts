/** TensorFlow.js's backend on libtensorflow. */
import { prepareTensorflow } from '../libtensorflow/environment.js';
import { fault } from '../libtensorflow/faults.js';
import { loadTensorflow } from '../libtensorflow/load.js';
import { tensorflowStatus } from '../libtensorflow/status.js';
import { tf } from '../tensorflow.js';
import { fault as gpuFault } from '../webgpu/faults.js';

let isLoaded = false;

/** Makes it TensorFlow.js's current one. @throws LockstepError `TENSORFLOW_UNAVAILABLE` */
export async function useTensorflowBackend(): Promise<void> {
  loadTensorflowBackend();
  if (!(await tf.setBackend('tensorflow'))) throw new Error("TensorFlow.js's backend tensorflow does not start");
}

/** Loads and registers it, once in a thread; TensorFlow.js starts it. @throws LockstepError `TENSORFLOW_UNAVAILABLE` */
export function loadTensorflowBackend(): void {
  if (isLoaded) return;
  const status = tensorflowStatus();
  if (!status.available) throw fault('TENSORFLOW_UNAVAILABLE', { reasons: status.reason });
  prepareTensorflow(1);
  loadTensorflow(status.installation);
  isLoaded = true;
}

/** Does the work; where memory runs out, it says which one, and of how many samples. @throws LockstepError `GPU_OUT_OF_MEMORY` */
export async function withItsFaults(work: () => Promise<void>, microBatch: number): Promise<void> {
  try {
    await work();
  } catch (error) {
    const [reason] = /OOM when allocating[^\n]*/.exec((error as Error).message) ?? [];
    if (reason === undefined) throw error;
    throw gpuFault('GPU_OUT_OF_MEMORY', { name: 'that TensorFlow computes on', microBatch, reason }, error);
  }
}
