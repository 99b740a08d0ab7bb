import { weightOf, type LayerReader, type LayerSource } from './source.js';
import { sizeOf } from '../../core/shape.js';

/** Normalisation over the last axis: rows, and columns or channels. */
function lastAxis({ config, inputShape, refuse }: LayerSource): { readonly rows: number; readonly columns: number } {
  const axes = [config['axis'] ?? -1].flat() as number[];
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== inputShape.length))
    throw refuse(`its axis is ${axes.join(', ')}, not the last`);
  return { rows: sizeOf(inputShape.slice(0, -1)), columns: inputShape.at(-1)! };
}

function normalisation(source: LayerSource, columns: number) {
  const { config } = source;
  const [scales, centers] = [config['scale'] !== false, config['center'] !== false];
  const roles = [...(scales ? ['gamma'] : []), ...(centers ? ['beta'] : [])];
  return {
    ...{ epsilon: Number(config['epsilon'] ?? 1e-3), scales, centers },
    weights: roles.map((role) => weightOf(source, role, [columns])),
  };
}

export const normalisationReaders = {
  BatchNormalization: (source) => {
    const { name, config, inputShape, refuse } = source;
    if (config['trainable'] === false) throw refuse('it is frozen');
    const { rows, columns } = lastAxis(source);
    const { weights, ...how } = normalisation(source, columns);
    const averageMomentum = Number(config['momentum'] ?? 0.99);
    const averages = ['moving_mean', 'moving_variance'].map((role) => ({
      ...{ name: `${name}.${role}`, shape: [columns], trainable: false, averageMomentum },
    }));
    const activation = 'linear' as const;
    return [
      {
        kind: 'batchNormalisation',
        rows,
        activation,
        ...how,
        outputShape: inputShape,
        weights: [...weights, ...averages],
      },
    ];
  },

  LayerNormalization: (source) => {
    const { rows, columns } = lastAxis(source);
    return [{ kind: 'layerNormalisation', rows, ...normalisation(source, columns), outputShape: source.inputShape }];
  },
} satisfies Readonly<Record<string, LayerReader>>;
