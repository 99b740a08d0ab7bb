/** Kernels of our own for TensorFlow.js's WebGPU backend, in place of those that are wrong or not exact enough. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

import { tf } from '../tensorflow.js';
import { sizeOf } from '../../core/shape.js';

/** What TensorFlow.js hands to every kernel; its own type leaves the backend open. */
export interface GpuKernelCall {
  readonly inputs: tf.NamedTensorInfoMap;
  readonly backend: WebGPUBackend;
  readonly attrs: tf.NamedAttrMap;
}

export type GpuKernel = (call: GpuKernelCall) => tf.TensorInfo | tf.TensorInfo[];

type Program = Parameters<WebGPUBackend['runWebGPUProgram']>[0];

const threads = 64;

/** @param key - of everything that `code` depends on @param count - of the threads, each of which knows its `index` */
function programOf(key: string, shape: readonly number[], count: number, code: string): Program {
  return {
    variableNames: ['A'],
    outputShape: [...shape],
    workgroupSize: [threads, 1, 1],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [Math.ceil(count / threads), 1, 1],
    size: true,
    shaderKey: `lockstep ${key}`,
    getUserCode: () => code,
  };
}

/**
 * Sine and cosine within a few units in the last place: WebGPU lets a GPU be off by 2^-11. The argument is brought into
 * -pi/4..pi/4 by a multiple of pi/2 in three parts, of which the first two have so few bits that products are exact.
 */
const sineAndCosine = `
  fn sineAndCosine(a : f32) -> vec2<f32> {
    let k = round(a * 0.636619772367581);
    let r = ((a - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.549789948768648e-8;
    let s = r * r;
    let sine = r + r * s * (-1.6666654611e-1 + s * (8.3321608736e-3 + s * -1.9515295891e-4));
    let cosine = 1.0 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
    let quarter = i32(k) & 3;
    let swapped = select(vec2(sine, cosine), vec2(cosine, -sine), (quarter & 1) == 1);
    return select(swapped, -swapped, quarter >= 2);
  }`;

/** Functions of one number, `a`; a NaN stays one, which drivers that compile for speed forget. */
const functions: Readonly<Record<string, string>> = {
  Sin: 'return sineAndCosine(a).x;',
  Cos: 'return sineAndCosine(a).y;',
  Tan: 'let both = sineAndCosine(a); return both.x / both.y;',
  Sigmoid: 'return 1.0 / (1.0 + exp(-a));',
  Asinh: 'return asinh(a);',
  Acosh: 'if (a < 1.0) { return uniforms.NAN; } return acosh(a);',
  Atanh: `if (abs(a) > 1.0) { return uniforms.NAN; }
    if (abs(a) == 1.0) { return a * uniforms.INFINITY; }
    return atanh(a);`,
};

function elementwise(name: string): GpuKernel {
  return ({ inputs, backend }) => {
    const x = inputs['x']!;
    const size = sizeOf(x.shape);
    const code = `${sineAndCosine}
      fn valueOf(a : f32) -> f32 {
        if (isnan(a)) { return a; }
        ${functions[name]}
      }
      fn main(index : i32) {
        if (index < uniforms.size) { result[index] = valueOf(f32(A[index])); }
      }`;
    return backend.runWebGPUProgram(programOf(name, x.shape, size, code), [x], 'float32');
  };
}

/** The backend's own shader for one length is used again for every other: its key does not say which. */
function cumulative(sign: '+' | '*'): GpuKernel {
  return ({ inputs, backend, attrs }) => {
    const x = inputs['x']!;
    const { axis, exclusive, reverse } = attrs as unknown as tf.CumsumAttrs;
    const at = tf.util.parseAxisParam(axis, x.shape)[0]!;
    const [length, inner] = [x.shape[at]!, sizeOf(x.shape.slice(at + 1))];
    const lines = sizeOf(x.shape) / Math.max(1, length);
    const type = x.dtype === 'float32' ? 'f32' : 'i32';
    const step = `total = total ${sign} A[place];`;
    const code = `
      fn main(index : i32) {
        if (index >= min(${lines}, uniforms.size)) { return; } // it has to use its uniforms
        let first = (index / ${inner}) * ${length * inner} + index % ${inner};
        var total : ${type} = ${type}(${sign === '+' ? 0 : 1});
        for (var i = 0; i < ${length}; i++) {
          let place = first + ${inner} * ${reverse ? `(${length - 1} - i)` : 'i'};
          ${exclusive ? '' : step}
          result[place] = total;
          ${exclusive ? step : ''}
        }
      }`;
    const key = ['cumulative', sign, lines, length, inner, exclusive, reverse, type].join(' ');
    return backend.runWebGPUProgram(programOf(key, x.shape, lines, code), [x], x.dtype);
  };
}

/** @param stock - the backend's own, which forgets to keep dimensions */
function product(stock: GpuKernel): GpuKernel {
  return (call) => {
    const { inputs, backend, attrs } = call;
    const out = stock(call) as tf.TensorInfo;
    const { axis, keepDims } = attrs as unknown as tf.ProdAttrs;
    const x = inputs['x']!;
    if (!keepDims || out.shape.length === x.shape.length) return out;
    const shape = tf.backend_util.expandShapeToKeepDim(out.shape, tf.util.parseAxisParam(axis, x.shape));
    const reshape = tf.getKernel('Reshape', 'webgpu').kernelFunc as unknown as GpuKernel;
    const kept = reshape({ inputs: { x: out }, backend, attrs: { shape } });
    backend.disposeData(out.dataId);
    return kept;
  };
}

/** By name, each made from the backend's own. */
export const ownGpuKernels: Readonly<Record<string, (stock: GpuKernel) => GpuKernel>> = {
  ...Object.fromEntries(Object.keys(functions).map((name) => [name, () => elementwise(name)])),
  Cumsum: () => cumulative('+'),
  Cumprod: () => cumulative('*'),
  Prod: product,
};
