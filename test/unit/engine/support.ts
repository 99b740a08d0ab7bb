/** Models, samples and weights for the engine's tests. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

import * as tfl from '@tensorflow/tfjs-layers';

import type { Arena } from '../../../src/core/arena.js';
import type { ParameterLayout } from '../../../src/core/layout.js';
import { randomStream } from '../../../src/core/random.js';
import type { EncodedImages } from '../../../src/data/encoded-images.js';
import { initialiseWeights } from '../../../src/engine/initial-weights.js';
import type { ModelSpec } from '../../../src/engine/model-spec.js';
import { buildModelSpec, modelSpecOf } from '../../../src/engine/models/index.js';
import { modelNames } from '../../../src/engine/models/names.js';
import { nativeAddonFiles, nativeStatus, type NativeAddon } from '../../../src/engine/native-kernels.js';

const { activation, conv2d, dense, flatten, maxPooling2d, reLU } = tfl.layers;

/** Small models that use what the built-in ones do not. */
const corners: Readonly<Record<string, () => tfl.layers.Layer[]>> = {
  'strides, same padding, pooling 3 by 2': () => [
    conv2d({
      inputShape: [11, 13, 3],
      filters: 5,
      kernelSize: [3, 4],
      strides: [2, 3],
      padding: 'same',
      activation: 'tanh',
    }),
    maxPooling2d({ poolSize: 3, strides: 2 }),
    flatten(),
    dense({ units: 7, activation: 'sigmoid' }),
    dense({ units: 4, useBias: false }),
  ],
  'two convolutions of the same size, activations in a row': () => [
    conv2d({ inputShape: [9, 7, 2], filters: 6, kernelSize: 3, padding: 'same', activation: 'relu', useBias: false }),
    conv2d({ filters: 9, kernelSize: [5, 2], padding: 'same' }),
    maxPooling2d({ poolSize: [3, 2], strides: [2, 2], padding: 'same' }),
    activation({ activation: 'relu' }),
    activation({ activation: 'tanh' }),
    flatten(),
    dense({ units: 3 }),
  ],
  'pooling behind tanh, a kernel of 7 rows': () => [
    conv2d({ inputShape: [8, 9, 1], filters: 6, kernelSize: 7, padding: 'same', activation: 'tanh' }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 3, kernelSize: 2, activation: 'sigmoid' }),
    flatten(),
    dense({ units: 3 }),
  ],
  'pooling first, long rows of patches, odd sizes pooled by 2': () => [
    maxPooling2d({ inputShape: [14, 14, 3], poolSize: 2 }),
    conv2d({ filters: 17, kernelSize: 1 }),
    reLU(),
    conv2d({ filters: 21, kernelSize: 3 }),
    maxPooling2d({ poolSize: 2 }),
    activation({ activation: 'relu' }),
    flatten(),
    dense({ units: 5 }),
  ],
};

export const cornerNames = Object.keys(corners);

/** A built-in model, or one of the corners. */
export function modelNamed(name: string): ModelSpec {
  if ((modelNames as readonly string[]).includes(name)) return buildModelSpec(name);
  const layers = corners[name]!();
  layers.forEach((layer, i) => (layer.name = `layer${i}`));
  return modelSpecOf(tfl.sequential({ name, layers }));
}

/** Glorot kernels; biases, slopes, scales and averages that differ a little from where they begin; in the arena. */
export function someWeights(layout: ParameterLayout, arena: Arena): Float32Array {
  const weights = arena.float32(layout.weightCount);
  initialiseWeights(layout, 5, weights);
  for (const { name, offset, size } of layout.tensors) {
    const random = randomStream(6, name);
    const spread = name.endsWith('.bias') ? 0.1 : /\.(gamma|beta|alpha|moving_\w+)$/.test(name) ? 0.6 : 0;
    if (spread > 0) for (let i = 0; i < size; i++) weights[offset + i]! += spread * (random.uniform() - 0.5);
  }
  return weights;
}

/** Fills a micro-batch with samples in -0.5..1 and classes below 3; another `salt` gives others. */
export function writeSamples({ x, y }: { readonly x: Float32Array; readonly y: Int32Array }, salt = 0): void {
  const random = randomStream(7, 'samples', salt);
  for (let i = 0; i < x.length; i++) x[i] = 1.5 * random.uniform() - 0.5;
  for (let i = 0; i < y.length; i++) y[i] = Math.floor(3 * random.uniform());
}

/** ||a - b|| / ||b||, 0 for two zero vectors. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

/** Without the native kernels a user's suite goes on, loudly; in CI they must be there. */
export function skippedWithoutNative(): string | false {
  const status = nativeStatus();
  if (status.available) return false;
  const reason = `SKIPPED: native kernels: ${status.reason}`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

/** The addon that `skippedWithoutNative` found, with its file; undefined without one. */
export function nativeAddon(): { readonly addon: NativeAddon; readonly file: string } | undefined {
  if (!nativeStatus().available) return undefined;
  const { file } = nativeAddonFiles.find((candidate) => existsSync(candidate.file))!;
  return { file, addon: createRequire(import.meta.url)(file) as NativeAddon };
}

/** MNIST's form, any pixels, all classes in turn. */
export function someImages(count: number, salt: string): EncodedImages {
  const random = randomStream(3, salt);
  const images = new Uint8Array(new SharedArrayBuffer(count * 784));
  const labels = new Uint8Array(new SharedArrayBuffer(count));
  for (let i = 0; i < images.length; i++) images[i] = random.uint32() & 255;
  for (let i = 0; i < count; i++) labels[i] = i % 10;
  return { images, labels, count, rows: 28, columns: 28, channels: 1, classes: 10 };
}
