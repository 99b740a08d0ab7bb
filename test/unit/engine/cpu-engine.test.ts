import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { createArena } from '../../../src/core/arena.js';
import { CpuEngine } from '../../../src/engine/cpu-engine.js';
import { modelSpecOf } from '../../../src/engine/models/index.js';
import { engineContract } from '../../contract/engine-contract.js';

engineContract((options) => CpuEngine.create(options), false);

describe('CpuEngine', () => {
  it('refuses a model with weights that are not trained', async () => {
    const layers = [
      tfl.layers.dense({ name: 'a', inputShape: [3], units: 4 }),
      tfl.layers.batchNormalization({ name: 'norm' }),
    ];
    const model = modelSpecOf(tfl.sequential({ name: 'normalised', layers }));
    await assert.rejects(CpuEngine.create({ model, microBatchSize: 2, arena: createArena() }), {
      code: 'MODEL_UNSUPPORTED',
      message: /normalised.*norm\/moving_mean is not trainable/,
    });
  });
});
