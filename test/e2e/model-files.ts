/** Models as `model.save('file://...')` of TensorFlow.js writes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import * as tfl from '@tensorflow/tfjs-layers';

import { tf } from '../../src/engine/tensorflow.js';

const { layers: of } = tfl;

/** Small, for images of 28 by 28. */
export const fileModels = {
  /** Everything that goes through the tree beside gradients, and masks. */
  normalised: () => [
    of.conv2d({ inputShape: [28, 28, 1], filters: 4, kernelSize: 5, strides: 3, kernelRegularizer: 'l1l2' }),
    of.batchNormalization({ momentum: 0.8 }),
    of.activation({ activation: 'relu' }),
    of.dropout({ rate: 0.3 }),
    of.flatten(),
    of.dense({ units: 10, kernelInitializer: 'heNormal' }),
  ],
  /** No plan enlarges pictures, or has cells that remember. */
  uncovered: () => [
    of.averagePooling2d({ inputShape: [28, 28, 1], poolSize: 7 }),
    of.conv2d({ filters: 3, kernelSize: 2, padding: 'same' }),
    of.batchNormalization({ momentum: 0.7 }),
    of.upSampling2d({ size: [2, 1] }),
    of.dropout({ rate: 0.25 }),
    of.reshape({ targetShape: [8, 12] }),
    of.gru({ units: 6, kernelRegularizer: 'l1l2', recurrentInitializer: 'heUniform' }),
    of.dense({ units: 10 }),
  ],
} as const satisfies Readonly<Record<string, () => tfl.layers.Layer[]>>;

/** @returns the model, whose layers are called by their place and class */
export function modelOf(layers: readonly tfl.layers.Layer[]): tfl.Sequential {
  layers.forEach((layer, i) => (layer.name = `${layer.getClassName().toLowerCase()}${i}`));
  return tfl.sequential({ layers: [...layers] });
}

/** Writes it in the way of TensorFlow.js's own handler for files, which only tfjs-node has. @returns the path of model.json */
export async function saveModel(folder: string, model: tfl.LayersModel, withWeights = false): Promise<string> {
  const path = join(folder, 'model.json');
  mkdirSync(dirname(path), { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData, format, trainingConfig }) => {
      const weightsManifest = [{ paths: ['./weights.bin'], weights: weightSpecs }];
      const content = { modelTopology, format, ...(trainingConfig ? { trainingConfig } : {}) };
      writeFileSync(path, JSON.stringify(withWeights ? { ...content, weightsManifest } : content));
      if (withWeights) writeFileSync(join(folder, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return path;
}
