import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { enginePlace, type PlaceNeeds } from '../../../src/engine/engine-place.js';
import { modelNamed } from './support.js';

const needs: PlaceNeeds = {
  engine: 'wasm',
  model: modelNamed('lenet5'),
  microBatchSize: 32,
  isResident: true,
  threads: 1,
  cores: 2,
  localWorkers: 2,
};

/** Where `auto` puts it. */
const placeOf = (different: Partial<PlaceNeeds> = {}) => enginePlace('auto', { ...needs, ...different });

describe('enginePlace', () => {
  it('is the main thread where each core has one worker', () => {
    assert.equal(placeOf(), 'main');
    assert.equal(placeOf({ engine: 'native' }), 'main');
    assert.equal(placeOf({ cores: 1, localWorkers: 1 }), 'main');
    assert.equal(placeOf({ cores: 3 }), 'own', 'a core is left for the main threads');
    assert.equal(placeOf({ localWorkers: 1 }), 'own');
    assert.equal(placeOf({ localWorkers: 4 }), 'own', 'workers take turns on a core');
  });

  it('is its own thread where micro-batches or gradients are long', () => {
    assert.equal(placeOf({ microBatchSize: 128 }), 'main');
    assert.equal(placeOf({ microBatchSize: 1000 }), 'own');
    assert.equal(placeOf({ model: modelNamed('lenet') }), 'own');
    assert.equal(placeOf({ model: wide(4_000), microBatchSize: 1 }), 'own');
  });

  it('is where somebody wants it, if that can be', () => {
    assert.equal(enginePlace('own', needs), 'own');
    assert.equal(enginePlace('main', { ...needs, cores: 8, microBatchSize: 1000 }), 'main');
    for (const unfit of [
      { engine: 'tensorflow' },
      { engine: 'cpu' },
      { threads: 2 },
      { isResident: false },
      { model: { ...needs.model, loss: 'own' } },
    ] as const)
      assert.equal(enginePlace('main', { ...needs, ...unfit }), 'own', JSON.stringify(unfit));
  });
});

/** 784 inputs, so many outputs: 3,140,000 parameters of 4,000. */
function wide(units: number): PlaceNeeds['model'] {
  const layers = [
    { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 28, 28, 1] } },
    { class_name: 'Dense', config: { name: 'wide', units } },
  ];
  return { ...needs.model, name: 'wide', topology: { class_name: 'Sequential', config: { layers } } };
}
