import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bindNative } from '../../../src/engine/native-kernels.js';
import type { Window } from '../../../src/engine/layers/operation.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { readTopology } from '../../../src/engine/topology.js';
import { layerContract } from '../../contract/layer-contract.js';
import { layerModels, ownModels } from '../../contract/layer-models.js';
import { nativeAddon, skippedWithoutNative } from './support.js';

describe('wasm', () => layerContract((options) => PlanEngine.create('wasm', options)));

const skip = skippedWithoutNative();
const addon = nativeAddon()?.addon;
for (const [i, variant] of (addon?.variants ?? ['native']).entries())
  describe(`native, ${variant}`, { skip }, () => {
    layerContract(async (options) => PlanEngine.over('native', bindNative(addon!, options.arena, i), options));
  });

describe('the models of the layer contract', () => {
  const models = Object.values({ ...layerModels, ...ownModels }).map((make) => readTopology(make().spec));
  const windowsOf = (kind: string): Window[] =>
    models.flatMap(({ layers }) =>
      layers.flatMap((layer) => (layer.kind === kind && 'window' in layer ? [layer.window] : [])),
    );
  const isPadded = ({ before, after }: Window): boolean => [...before, ...after].some((zeros) => zeros > 0);
  const kinds = ['convolution', 'depthwiseConvolution', 'transposedConvolution', 'maxPooling', 'averagePooling'];
  for (const kind of kinds) {
    it(`have a ${kind} with strides, and with either padding`, () => {
      const windows = windowsOf(kind);
      assert.ok(windows.some(({ stride }) => stride.some((d) => d > 1)));
      assert.ok(windows.some(isPadded));
      assert.ok(windows.some((window) => !isPadded(window)));
    });
  }

  it('have dilated convolutions, with either padding', () => {
    const dilated = [...windowsOf('convolution'), ...windowsOf('depthwiseConvolution')].filter(({ dilation }) =>
      dilation.some((d) => d > 1),
    );
    assert.ok(dilated.some(isPadded));
    assert.ok(dilated.some((window) => !isPadded(window)));
  });
});
