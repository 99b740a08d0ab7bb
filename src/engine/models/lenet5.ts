import * as tfl from '@tensorflow/tfjs-layers';

import { kernelInitializer } from './kernel-initializer.js';

/** LeNet-5 (LeCun et al. 1998) with ReLU, max pooling and full connection: 6-16-120-84-10, 44,426 parameters. */
export function lenet5(): tfl.Sequential {
  return tfl.sequential({
    name: 'lenet5',
    layers: [
      tfl.layers.conv2d({
        name: 'conv1',
        kernelInitializer,
        inputShape: [28, 28, 1],
        filters: 6,
        kernelSize: 5,
        activation: 'relu',
      }),
      tfl.layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      tfl.layers.conv2d({ name: 'conv2', kernelInitializer, filters: 16, kernelSize: 5, activation: 'relu' }),
      tfl.layers.maxPooling2d({ name: 'pool2', poolSize: 2 }),
      tfl.layers.flatten({ name: 'flatten' }),
      tfl.layers.dense({ name: 'dense1', kernelInitializer, units: 120, activation: 'relu' }),
      tfl.layers.dense({ name: 'dense2', kernelInitializer, units: 84, activation: 'relu' }),
      tfl.layers.dense({ name: 'dense3', kernelInitializer, units: 10 }),
    ],
  });
}
