import { modelInput, type Topology } from '../../src/engine/topology.js';

/** Operations on float32 of forward and backward, per sample: products of convolutions and dense layers, a multiplication and an addition counting as two. */
export function operationsOf({ layers }: Topology): number {
  let operations = 0;
  for (const layer of layers) {
    const products = productsOf(layer);
    // Backward there are as many again for the weights, and as many for the input, unless that is the samples.
    operations += 2 * products * (layer.inputs[0] === modelInput ? 2 : 3);
  }
  return operations;
}

function productsOf(layer: Topology['layers'][number]): number {
  switch (layer.kind) {
    case 'convolution': {
      const [rows, columns, filters] = layer.to;
      return rows * columns * filters * layer.window.size[0] * layer.window.size[1] * layer.from[2];
    }
    case 'dense':
      return layer.rows * layer.units * (layer.inputShape.reduce((size, d) => size * d, 1) / layer.rows);
    default:
      return 0;
  }
}
