import * as tfl from '@tensorflow/tfjs-layers';

import { kernelInitializer } from './kernel-initializer.js';

/** One hidden layer of 128: 101,770 parameters. */
export function mlp(): tfl.Sequential {
  return tfl.sequential({
    name: 'mlp',
    layers: [
      tfl.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }),
      tfl.layers.dense({ name: 'dense1', kernelInitializer, units: 128, activation: 'relu' }),
      tfl.layers.dense({ name: 'dense2', kernelInitializer, units: 10 }),
    ],
  });
}
