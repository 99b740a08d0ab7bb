import {
  pictureOf,
  shapeOf,
  slide,
  type LayerDescription,
  type LayerReader,
  type LayerSource,
  type Picture,
} from './source.js';

type Kind = 'maxPooling' | 'averagePooling';

const pooling =
  (kind: Kind): LayerReader =>
  (source: LayerSource): readonly LayerDescription[] => {
    const from = pictureOf(source);
    const { window, positions } = slide(source, from, 'pool_size');
    const to: Picture = [...positions, from[2]];
    return [{ kind, from, to, window, outputShape: shapeOf(to, source.inputShape), weights: [] }];
  };

/** One window as large as the picture. */
const globalPooling =
  (kind: Kind): LayerReader =>
  (source: LayerSource): readonly LayerDescription[] => {
    const from = pictureOf(source);
    const size = [from[0], from[1]] as const;
    const window = { size, stride: size, dilation: [1, 1], before: [0, 0], after: [0, 0] } as const;
    return [{ kind, from, to: [1, 1, from[2]], window, outputShape: [from[2]], weights: [] }];
  };

export const poolingReaders = {
  MaxPooling1D: pooling('maxPooling'),
  MaxPooling2D: pooling('maxPooling'),
  AveragePooling1D: pooling('averagePooling'),
  AveragePooling2D: pooling('averagePooling'),
  GlobalMaxPooling1D: globalPooling('maxPooling'),
  GlobalMaxPooling2D: globalPooling('maxPooling'),
  GlobalAveragePooling1D: globalPooling('averagePooling'),
  GlobalAveragePooling2D: globalPooling('averagePooling'),
} satisfies Readonly<Record<string, LayerReader>>;
