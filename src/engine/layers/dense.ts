import { withActivation } from './activation.js';
import { biasOf, weightOf, type LayerReader } from './source.js';
import { sizeOf } from '../../core/shape.js';

export const denseReaders = {
  Dense: (source) => {
    const { inputShape, config } = source;
    const units = Number(config['units']);
    const { useBias, bias } = biasOf(source, units);
    const [rows, outputShape] = [sizeOf(inputShape.slice(0, -1)), [...inputShape.slice(0, -1), units]];
    const weights = [weightOf(source, 'kernel', [inputShape.at(-1)!, units]), ...bias];
    return withActivation(source, (activation) => ({
      ...{ kind: 'dense', rows, units, activation, useBias, outputShape, weights },
    }));
  },

  Embedding: (source) => {
    const { inputShape, config, refuse } = source;
    if (config['mask_zero']) throw refuse('it masks zeros');
    const [vocabulary, width] = [Number(config['input_dim']), Number(config['output_dim'])];
    const weights = [weightOf(source, 'embeddings', [vocabulary, width])];
    return [{ kind: 'embedding', vocabulary, width, outputShape: [...inputShape, width], weights }];
  },
} satisfies Readonly<Record<string, LayerReader>>;
