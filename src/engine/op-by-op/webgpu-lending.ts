import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';

import { type tf } from '../tensorflow.js';
import type { GpuKernel } from './webgpu-kernels.js';

/**
 * A kernel of the plain JavaScript backend, lent to the WebGPU backend, for text, look-ups and sparse tensors. It computes on
 * values that are still here; what a GPU has computed can only be had by waiting, which no kernel can.
 *
 * @param kernelFunc - the kernel as the `cpu` backend registered it
 * @param otherwise - what computes where an input is on the GPU alone
 */
export function lentFromHost(name: string, kernelFunc: tf.KernelFunc, otherwise?: GpuKernel): GpuKernel {
  return (call) => {
    const { inputs, backend, attrs } = call;
    const lender = new MathBackendCPU();
    const given: readonly (tf.TensorInfo | undefined)[] = Object.values(inputs).flat();
    const isLent = new Set<object>();
    for (const tensor of given) {
      if (!tensor || isLent.has(tensor.dataId)) continue;
      const { values } = backend.tensorMap.get(tensor.dataId);
      if (values == null) {
        if (otherwise) return otherwise(call);
        throw new Error(`${name} has no kernel for GPUs, and its input was computed on one`);
      }
      isLent.add(tensor.dataId);
      lender.data.set(tensor.dataId, { values, dtype: tensor.dtype, refCount: 1 });
    }
    const keep = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => {
      if (!isLent.has(dataId)) return backend.makeTensorInfo([...shape], dtype, lender.readSync(dataId));
      backend.incRef(dataId); //                                      an input came back under another shape
      return { dataId, shape, dtype };
    };
    const outputs = kernelFunc({ inputs, backend: lender, attrs });
    return Array.isArray(outputs) ? outputs.map(keep) : keep(outputs);
  };
}
