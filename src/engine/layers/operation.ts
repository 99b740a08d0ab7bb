/** What a layer computes, with everything that its kernels want to know. */
import type { Pair, Picture } from './source.js';

/** Activations that convolutions and dense layers take along. */
export type FusedActivation = 'linear' | 'relu' | 'tanh' | 'sigmoid';

/** `parameter`: the slope of `leakyRelu`, the scale of `elu`, the limit of `clippedRelu` and of `thresholdedRelu`. */
export type ActivationName =
  | FusedActivation
  | 'elu'
  | 'selu'
  | 'softplus'
  | 'softsign'
  | 'hardSigmoid'
  | 'clippedRelu'
  | 'leakyRelu'
  | 'thresholdedRelu'
  | 'swish'
  | 'mish'
  | 'gelu'
  | 'geluNew';

/** How a window moves over a picture, with the zeros (for pooling: nothing) that lie before and behind the picture. */
export interface Window {
  readonly size: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Rows above and columns to the left of the picture. */
  readonly before: Pair;
  /** Rows below and columns to the right. */
  readonly after: Pair;
}

/** A window over a picture gives a picture. */
export interface Slide {
  readonly from: Picture;
  readonly to: Picture;
  readonly window: Window;
}

/**
 * A bias, where there is one, is the layer's last weight; the weights before it are in the order of the kernels.
 *
 * `rows` are those of one sample.
 */
export type Operation =
  /** weights: kernel [height, width, channels, filters] */
  | ({ readonly kind: 'convolution'; readonly activation: FusedActivation; readonly useBias: boolean } & Slide)
  /** Of every channel by itself, `multiplier` outputs each. weights: kernel [height, width, channels, multiplier] */
  | ({
      readonly kind: 'depthwiseConvolution';
      readonly multiplier: number;
      readonly activation: FusedActivation;
      readonly useBias: boolean;
    } & Slide)
  /** The transpose of a convolution whose `window` goes over `to` and gives `from`. weights: kernel [height, width, to, from] */
  | ({
      readonly kind: 'transposedConvolution';
      readonly activation: FusedActivation;
      readonly useBias: boolean;
    } & Slide)
  | ({ readonly kind: 'maxPooling' } & Slide)
  | ({ readonly kind: 'averagePooling' } & Slide)
  /** weights: kernel [inputs, outputs] */
  | {
      readonly kind: 'dense';
      readonly rows: number;
      readonly units: number;
      readonly activation: FusedActivation;
      readonly useBias: boolean;
    }
  /** Moves nothing: flatten, reshape, and what does nothing when there is nothing to do. */
  | { readonly kind: 'identity' }
  | { readonly kind: 'activation'; readonly activation: ActivationName; readonly parameter: number }
  | { readonly kind: 'softmax'; readonly rows: number; readonly logarithm: boolean }
  /** weights: slopes, one a column */
  | { readonly kind: 'prelu'; readonly rows: number }
  /** weights: gamma where it `scales`, beta where it `centers`, moving mean, moving variance, one a channel */
  | {
      readonly kind: 'batchNormalisation';
      readonly rows: number;
      readonly activation: 'linear' | 'relu';
      readonly epsilon: number;
      readonly scales: boolean;
      readonly centers: boolean;
    }
  /** weights: gamma, beta as above, one a column */
  | {
      readonly kind: 'layerNormalisation';
      readonly rows: number;
      readonly epsilon: number;
      readonly scales: boolean;
      readonly centers: boolean;
    }
  /** weights: table [vocabulary, width] */
  | { readonly kind: 'embedding'; readonly vocabulary: number; readonly width: number }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'merge'; readonly operation: 'add' | 'multiply' | 'average' }
  /** Rows, one of each input in turn. `columns` of each input. */
  | { readonly kind: 'concatenation'; readonly rows: number; readonly columns: readonly number[] }
  | { readonly kind: 'padding'; readonly from: Picture; readonly to: Picture; readonly before: Pair }
  | { readonly kind: 'cropping'; readonly from: Picture; readonly to: Picture; readonly before: Pair }
  /** `order[i]`: which axis of the input becomes axis i, of three. */
  | {
      readonly kind: 'permutation';
      readonly from: readonly [number, number, number];
      readonly order: readonly number[];
    };
