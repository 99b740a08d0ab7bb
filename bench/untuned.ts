import * as tfl from '@tensorflow/tfjs-layers';

import type { ModelSpec } from '../src/engine/model-spec.js';
import { modelSpecOf } from '../src/engine/models/index.js';

/** A net that no kernel was tuned for: three 3x3 convolutions with batch normalisation on 32x32x3. As in peers/engine_step.py. */
export function untuned(): ModelSpec {
  const block = (filters: number, more: object = {}): tfl.layers.Layer[] => [
    tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, ...more }),
    tfl.layers.batchNormalization({}),
    tfl.layers.activation({ activation: 'relu' }),
  ];
  const pool = (): tfl.layers.Layer => tfl.layers.maxPooling2d({ poolSize: 2 });
  const first = block(32, { inputShape: [32, 32, 3] });
  const layers = [...first, pool(), ...block(64), pool(), ...block(64), tfl.layers.globalAveragePooling2d({})];
  return modelSpecOf(tfl.sequential({ name: 'untuned', layers: [...layers, tfl.layers.dense({ units: 10 })] }));
}
