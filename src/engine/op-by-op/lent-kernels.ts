import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

import { tf } from '../tensorflow.js';

type Values = tf.backend_util.BackendValues;

/** What TensorFlow.js hands to every kernel; its own type leaves the backend open. */
export interface KernelCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly backend: BackendWasm;
  readonly attrs: tf.NamedAttrMap;
}

export type WasmKernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

/**
 * A kernel of the plain JavaScript backend, lent to the wasm backend: it reads its inputs where they lie on the heap, and
 * what it returns is written there.
 *
 * @param kernelFunc - the kernel as the `cpu` backend registered it
 */
export function lentKernel(kernelFunc: tf.KernelFunc): WasmKernel {
  return ({ inputs, backend, attrs }) => {
    const lender = new MathBackendCPU();
    const given: readonly (tf.TensorInfo | undefined)[] = Object.values(inputs).flat();
    const lent = new Map<object, tf.TensorInfo>();
    for (const tensor of given) {
      if (!tensor || lent.has(tensor.dataId)) continue;
      lent.set(tensor.dataId, tensor);
      lend(lender, backend, tensor);
    }
    const outputs = kernelFunc({ inputs, backend: lender, attrs });
    const keep = (output: tf.TensorInfo): tf.TensorInfo => {
      if (!lent.has(output.dataId)) return writeBack(lender, backend, output);
      backend.incRef(output.dataId); //                              an input came back under another shape
      return output;
    };
    return Array.isArray(outputs) ? outputs.map(keep) : keep(outputs);
  };
}

/** Makes a tensor of the heap known to the lender, without a copy; complex numbers lie apart there, interleaved here. */
function lend(lender: MathBackendCPU, backend: BackendWasm, tensor: tf.TensorInfo): void {
  const { dataId, shape, dtype } = tensor;
  if (dtype !== 'complex64') {
    const values = dtype === 'string' ? backend.readSync(dataId) : backend.typedArrayFromHeap(tensor);
    lender.data.set(dataId, { values, dtype, refCount: 1 });
    return;
  }
  const { real, imag } = tf.backend_util.splitRealAndImagArrays(backend.readSync(dataId) as Float32Array);
  const complexTensorInfos = {
    real: lender.makeTensorInfo([...shape], 'float32', real),
    imag: lender.makeTensorInfo([...shape], 'float32', imag),
  };
  lender.data.set(dataId, { dtype, refCount: 1, complexTensorInfos });
}

function writeBack(
  lender: MathBackendCPU,
  backend: BackendWasm,
  { dataId, shape, dtype }: tf.TensorInfo,
): tf.TensorInfo {
  const values = lender.readSync(dataId);
  return backend.makeOutput(shape, dtype, undefined, ofItsOwn(values, backend));
}

/** A copy of a view on the heap: allocating the output may move the heap away from under it. */
function ofItsOwn(values: Values, backend: BackendWasm): Values {
  const isOnHeap = ArrayBuffer.isView(values) && values.buffer === heapOf(backend);
  return isOnHeap ? values.slice() : values;
}

/** Where the backend keeps its tensors: another buffer after it has grown. */
export function heapOf({ wasm }: BackendWasm): ArrayBufferLike {
  return (wasm as unknown as { readonly HEAPU8: Uint8Array }).HEAPU8.buffer; // Emscripten's types are not installed
}
