/** One reader for each class of layers that plans cover. */
import { activationReaders } from './activation.js';
import { convolutionReaders } from './convolution.js';
import { denseReaders } from './dense.js';
import { mergeReaders } from './merge.js';
import { normalisationReaders } from './normalisation.js';
import { poolingReaders } from './pooling.js';
import { shapeReaders } from './shape.js';
import type { LayerReader } from './source.js';

export const layerReaders: Readonly<Record<string, LayerReader>> = {
  ...convolutionReaders,
  ...poolingReaders,
  ...denseReaders,
  ...normalisationReaders,
  ...activationReaders,
  ...shapeReaders,
  ...mergeReaders,
};
