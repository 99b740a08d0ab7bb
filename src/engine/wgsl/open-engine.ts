import { LockstepError } from '../../core/errors.js';
import type { Engine, EngineOptions } from '../engine.js';
import { readTopology } from '../topology.js';
import { openGpu } from '../webgpu/device.js';
import { gapInGpuPlans } from './coverage.js';
import { WgslEngine } from './engine.js';

/**
 * A plan on the GPU, or where none covers the model, TensorFlow.js op by op on it.
 *
 * @throws what `openGpu` throws; LockstepError `GPU_OUT_OF_MEMORY`, `GPU_LOST`, `MODEL_UNSUPPORTED`
 */
export async function openWebGpuEngine(options: EngineOptions): Promise<Engine> {
  try {
    if (gapInGpuPlans(readTopology(options.model)) === undefined) return await openPlan(options);
  } catch (error) {
    if (!(error instanceof LockstepError) || error.code !== 'LAYER_UNSUPPORTED') throw error;
  }
  return (await import('../op-by-op/op-by-op-engine.js')).OpByOpEngine.create('webgpu', options);
}

async function openPlan(options: EngineOptions): Promise<Engine> {
  const gpu = await openGpu(options.gpu, { ownKernels: true });
  try {
    return await WgslEngine.create(gpu, options);
  } catch (error) {
    gpu.close();
    throw error;
  }
}
