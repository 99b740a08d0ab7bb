/** What kernels registered under `wasm` cannot do, as far as TensorFlow.js's own tests and our models found out. */
import { tf } from '../tensorflow.js';
import type { KernelCall } from './lent-kernels.js';

type Limit = (call: KernelCall) => boolean;

/** Whether a kernel of ours has to leave this call to another. */
export function isBeyondOwn(kernelName: string, call: KernelCall): boolean {
  return ownLimits[kernelName]?.(call) ?? false;
}

/** Whether the wasm backend's own kernel would refuse this call or give a wrong answer. */
export function isBeyondStock(kernelName: string, call: KernelCall): boolean {
  return hasForeignType(call) || (stockLimits[kernelName]?.(call) ?? false);
}

/** Text and complex numbers have no kernels there at all. */
function hasForeignType({ inputs, attrs }: KernelCall): boolean {
  const isForeign = (dtype: unknown): boolean => dtype === 'string' || dtype === 'complex64';
  if (isForeign(attrs?.['dtype'])) return true;
  const given: readonly (tf.TensorInfo | undefined)[] = Object.values(inputs).flat();
  return given.some((tensor) => isForeign(tensor?.dtype));
}

const always: Limit = () => true;
const isChannelsFirst: Limit = ({ attrs }) => attrs['dataFormat'] === 'NCHW';
const inputOf = ({ inputs }: KernelCall, name: string): tf.TensorInfo | undefined => inputs[name];
const isNotFloat = (call: KernelCall, name: string): boolean => inputOf(call, name)?.dtype !== 'float32';
const hasRankedBias: Limit = (call) => (inputOf(call, 'bias')?.shape.length ?? 1) !== 1;

const canMissPicture: Limit = ({ attrs: { pad, filterSize } }) =>
  typeof pad === 'number' && pad >= Math.min(...[filterSize as number | [number, number]].flat());

const ownLimits: Readonly<Record<string, Limit>> = {
  Conv2DBackpropFilter: isChannelsFirst,
  UnsortedSegmentSum: (call) => isNotFloat(call, 'x') || inputOf(call, 'segmentIds')!.shape.length !== 1,
};

const stockLimits: Readonly<Record<string, Limit>> = {
  Conv2D: isChannelsFirst,
  FusedConv2D: (call) => isChannelsFirst(call) || hasRankedBias(call),
  FusedDepthwiseConv2D: hasRankedBias,
  /** XNNPACK reads memory that is not the picture's where a window sees nothing of it. */
  MaxPool: canMissPicture,
  AvgPool: canMissPicture,
  /** It takes the rows of a picture for a batch. */
  Bincount: (call) => inputOf(call, 'x')!.shape.length !== 1,
  BatchMatMul: (call) => isNotFloat(call, 'a') || isNotFloat(call, 'b'),
  _FusedMatMul: hasRankedBias,
  /** It lets a NaN become a bound. */
  ClipByValue: always,
  /** They look for a maximum above the smallest positive number: where all values are negative they find none. */
  MaxPool3DGrad: always,
  Dilation2D: always,
  Dilation2DBackpropFilter: always,
  Dilation2DBackpropInput: always,
  /** It was wrong by more than the gradient's size behind a convolution. */
  ResizeNearestNeighborGrad: always,
  /** It writes integers, whatever it is asked for. */
  OneHot: ({ attrs }) => (attrs['dtype'] ?? 'int32') !== 'int32',
  /** It cuts 0.5 down to false. */
  Cast: ({ attrs }) => attrs['dtype'] === 'bool',
  /** It does not look whether the slice is inside, and reads what lies behind. */
  Slice: (call) => !isSliceInside(inputOf(call, 'x')!, call.attrs as unknown as tf.SliceAttrs),
};

function isSliceInside(x: tf.TensorInfo, attrs: tf.SliceAttrs): boolean {
  const [begin, size] = tf.slice_util.parseSliceParams(x, attrs.begin, attrs.size) as [number[], number[]];
  return x.shape.every((length, axis) => begin[axis]! >= 0 && begin[axis]! + size[axis]! <= length);
}
