/** Kernels that TensorFlow.js's wasm backend lacks and training needs, in place on its heap. Pictures are [m][height][width][channels]. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

import { tf } from '../tensorflow.js';
import type { KernelCall, WasmKernel } from './lent-kernels.js';
import { sizeOf } from '../../core/shape.js';

type ConvolutionAttrs = Pick<tf.Conv2DBackpropFilterAttrs, 'strides' | 'pad' | 'dimRoundingMode'>;

export const ownKernels: Readonly<Record<string, WasmKernel>> = {
  /** The same values under another handle. The backend's own kernel copies them. */
  Identity({ inputs, backend }) {
    const { x } = inputs as { x: tf.TensorInfo };
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },

  /**
   * The gradient of a convolution's weights, as one matrix product: the patches that each weight saw, [kernel height * kernel
   * width * channels][positions], times the gradients at these positions, [positions][filters].
   */
  Conv2DBackpropFilter(call) {
    const { backend } = call;
    const { x, dy } = call.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const { filterShape, ...attrs } = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    const window = convolutionOf(x, filterShape, 1, attrs, false);
    const { batchSize, outHeight, outWidth, outChannels, filterHeight, filterWidth, inChannels } = window;
    const [rows, positions] = [filterHeight * filterWidth * inChannels, batchSize * outHeight * outWidth];
    const patches = backend.makeOutput([rows, positions], 'float32');
    fillPatches(floats(backend, x), floats(backend, patches), window);
    const gradients = { ...dy, shape: [positions, outChannels] };
    const product = multiplyMatrices(backend, patches, gradients);
    backend.disposeData(patches.dataId);
    return { ...product, shape: filterShape };
  },

  /** Sums are kept in float64 and rounded once. */
  DepthwiseConv2dNativeBackpropFilter(call) {
    const { backend } = call;
    const { x, dy } = call.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
    const { filterShape, dilations, ...attrs } = call.attrs as unknown as tf.DepthwiseConv2dNativeBackpropFilterAttrs;
    const window = convolutionOf(x, filterShape, dilations, attrs, true);
    const gradient = backend.makeOutput(filterShape, 'float32');
    const [from, dys, sums] = [floats(backend, x), floats(backend, dy), new Float64Array(sizeOf(filterShape))];
    const multiplier = window.outChannels / window.inChannels;
    slide(window, (row, input, output) => {
      const weight = row * window.outChannels;
      for (let d = 0; d < window.outChannels; d++)
        sums[weight + d] = sums[weight + d]! + from[input + Math.trunc(d / multiplier)]! * dys[output + d]!;
    });
    floats(backend, gradient).set(sums);
    return gradient;
  },

  /** Sums are kept in float64 and rounded once. */
  DepthwiseConv2dNativeBackpropInput(call) {
    const { backend } = call;
    const { dy, filter } = call.inputs as { dy: tf.TensorInfo; filter: tf.TensorInfo };
    const { inputShape, dilations, ...attrs } = call.attrs as unknown as tf.DepthwiseConv2dNativeBackpropInputAttrs;
    const x = { dataId: {}, shape: inputShape, dtype: 'float32' } as const;
    const window = convolutionOf(x, filter.shape, dilations, attrs, true);
    const gradient = backend.makeOutput(inputShape, 'float32');
    const [weights, dys, sums] = [floats(backend, filter), floats(backend, dy), new Float64Array(sizeOf(inputShape))];
    const multiplier = window.outChannels / window.inChannels;
    slide(window, (row, input, output) => {
      const weight = row * window.outChannels;
      for (let d = 0; d < window.outChannels; d++) {
        const at = input + Math.trunc(d / multiplier);
        sums[at] = sums[at]! + weights[weight + d]! * dys[output + d]!;
      }
    });
    floats(backend, gradient).set(sums);
    return gradient;
  },

  /**
   * Each gradient goes to the first of its window's largest values. The backend's own kernel finds none where all are
   * negative. Sums are kept in float64 and rounded once.
   */
  MaxPoolGrad(call) {
    const { backend } = call;
    const { dy, input } = call.inputs as { dy: tf.TensorInfo; input: tf.TensorInfo };
    const { filterSize, strides, pad, dimRoundingMode } = call.attrs as unknown as tf.MaxPoolGradAttrs;
    const shape = input.shape as [number, number, number, number];
    const window = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    const gradient = backend.makeOutput(input.shape, 'float32');
    const [x, dys, sums] = [floats(backend, input), floats(backend, dy), new Float64Array(sizeOf(input.shape))];
    const largest = new Float32Array(dys.length);
    const winners = new Int32Array(dys.length).fill(-1);
    slide(window, (_row, from, to) => {
      for (let c = 0; c < window.outChannels; c++) {
        const value = x[from + c]!;
        if (winners[to + c]! >= 0 && !(value > largest[to + c]! || Number.isNaN(value))) continue; // a NaN wins
        largest[to + c] = value;
        winners[to + c] = from + c;
      }
    });
    winners.forEach((winner, i) => {
      if (winner >= 0) sums[winner] = sums[winner]! + dys[i]!;
    });
    floats(backend, gradient).set(sums);
    return gradient;
  },

  /** Row i of x is added to row segmentIds[i] of the output, i ascending: the gradient of a look-up. */
  UnsortedSegmentSum(call) {
    const { backend } = call;
    const { x, segmentIds } = call.inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
    const { numSegments } = call.attrs as unknown as tf.UnsortedSegmentSumAttrs;
    const rowShape = x.shape.slice(segmentIds.shape.length);
    const sum = backend.makeOutput([numSegments, ...rowShape], 'float32');
    const ids = backend.typedArrayFromHeap(segmentIds);
    const [from, to, length] = [floats(backend, x), floats(backend, sum).fill(0), sizeOf(rowShape)];
    ids.forEach((id, row) => {
      if (id < 0 || id >= numSegments) return; //                    as TensorFlow has it: such rows are dropped
      for (let i = 0; i < length; i++) to[id * length + i] = to[id * length + i]! + from[row * length + i]!;
    });
    return sum;
  },
};

type ConvolutionInfo = tf.backend_util.Conv2DInfo;

function convolutionOf(
  x: tf.TensorInfo,
  filterShape: readonly number[],
  dilations: number | [number, number],
  { strides, pad, dimRoundingMode }: ConvolutionAttrs,
  isDepthwise: boolean,
): ConvolutionInfo {
  return tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    isDepthwise,
  );
}

/**
 * Calls `visit` for each place of the window and each weight position that lies inside of the picture there: the position's
 * row * width + column, where its input pixel begins, where the place's output pixel begins.
 */
function slide(window: ConvolutionInfo, visit: (row: number, input: number, output: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = window;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = window;
  for (let b = 0; b < batchSize; b++)
    for (let i = 0; i < filterHeight; i++)
      for (let j = 0; j < filterWidth; j++)
        for (let outRow = 0; outRow < outHeight; outRow++) {
          const row = outRow * strideHeight - padInfo.top + i * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          for (let outColumn = 0; outColumn < outWidth; outColumn++) {
            const column = outColumn * strideWidth - padInfo.left + j * dilationWidth;
            if (column < 0 || column >= inWidth) continue;
            const input = ((b * inHeight + row) * inWidth + column) * inChannels;
            visit(i * filterWidth + j, input, ((b * outHeight + outRow) * outWidth + outColumn) * outChannels);
          }
        }
}

/** patches[i][j][c][position] = x at the place that weight (i, j, c) sees there; zero outside of the picture. */
function fillPatches(x: Float32Array, patches: Float32Array, window: ConvolutionInfo): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = window;
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = window;
  let at = 0;
  for (let i = 0; i < filterHeight; i++)
    for (let j = 0; j < filterWidth; j++)
      for (let c = 0; c < inChannels; c++)
        for (let b = 0; b < batchSize; b++)
          for (let outRow = 0; outRow < outHeight; outRow++) {
            const row = outRow * strideHeight - padInfo.top + i;
            const start = (b * inHeight + row) * inWidth;
            for (let outColumn = 0; outColumn < outWidth; outColumn++) {
              const column = outColumn * strideWidth - padInfo.left + j;
              const isInside = row >= 0 && row < inHeight && column >= 0 && column < inWidth;
              patches[at++] = isInside ? x[(start + column) * inChannels + c]! : 0;
            }
          }
}

/** a [n][k] times b [k][m], by the backend's own kernel. */
function multiplyMatrices(backend: BackendWasm, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const multiply = tf.getKernel('BatchMatMul', 'wasm').kernelFunc as unknown as (call: KernelCall) => tf.TensorInfo;
  return multiply({ inputs: { a, b }, backend, attrs: { transposeA: false, transposeB: false } });
}

/** Valid until the backend allocates again. */
function floats(backend: BackendWasm, tensor: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}
