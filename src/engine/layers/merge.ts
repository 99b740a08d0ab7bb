import { type LayerReader, type LayerSource } from './source.js';
import { sizeOf } from '../../core/shape.js';

const merge =
  (operation: 'add' | 'multiply' | 'average'): LayerReader =>
  ({ inputShapes, inputShape, refuse }: LayerSource) => {
    const shapes = inputShapes.map((shape) => `[${shape.join(', ')}]`);
    if (inputShapes.length < 2 || new Set(shapes).size > 1)
      throw refuse(`its inputs have the shapes ${shapes.join(', ')}`);
    return [{ kind: 'merge', operation, outputShape: inputShape, weights: [] }];
  };

export const mergeReaders = {
  Add: merge('add'),
  Multiply: merge('multiply'),
  Average: merge('average'),

  Concatenate: ({ inputShapes, inputShape, config, refuse }) => {
    const axis = Number(config['axis'] ?? -1);
    const at = axis < 0 ? inputShape.length + axis : axis - 1; // the JSON counts the samples' axis
    if (at < 0 || at >= inputShape.length) throw refuse(`its axis is ${axis}`);
    const columns = inputShapes.map((shape) => sizeOf(shape.slice(at)));
    const rows = sizeOf(inputShape.slice(0, at));
    const length = inputShapes.reduce((sum, shape) => sum + shape[at]!, 0);
    return [{ kind: 'concatenation', rows, columns, outputShape: inputShape.with(at, length), weights: [] }];
  },
} satisfies Readonly<Record<string, LayerReader>>;
