import * as tfl from '@tensorflow/tfjs-layers';

import { kernelInitializer } from './kernel-initializer.js';

/** The LeNet of the Theano tutorial (lisa-lab/DeepLearningTutorials, doc/lenet.txt): 20-50-500-10, tanh; 431,080 parameters. */
export function lenet(): tfl.Sequential {
  return tfl.sequential({
    name: 'lenet',
    layers: [
      tfl.layers.conv2d({ name: 'conv1', kernelInitializer, inputShape: [28, 28, 1], filters: 20, kernelSize: 5 }),
      tfl.layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      tfl.layers.activation({ name: 'tanh1', activation: 'tanh' }),
      tfl.layers.conv2d({ name: 'conv2', kernelInitializer, filters: 50, kernelSize: 5 }),
      tfl.layers.maxPooling2d({ name: 'pool2', poolSize: 2 }),
      tfl.layers.activation({ name: 'tanh2', activation: 'tanh' }),
      tfl.layers.flatten({ name: 'flatten' }),
      tfl.layers.dense({ name: 'dense1', kernelInitializer, units: 500, activation: 'tanh' }),
      tfl.layers.dense({ name: 'dense2', kernelInitializer, units: 10 }),
    ],
  });
}
