import { describe } from 'node:test';

import type { EngineOptions } from '../../../src/engine/engine.js';
import { OpByOpEngine } from '../../../src/engine/op-by-op/op-by-op-engine.js';
import { engineContract } from '../../contract/engine-contract.js';
import { layerContract } from '../../contract/layer-contract.js';
import { beyondTensorflowJs } from '../../contract/op-by-op-limits.js';
import { tensorflowMissing } from './tensorflow-missing.js';

const skip = tensorflowMissing();
/** A NaN is no index: libtensorflow refuses it. */
const indexed = new Set(['embedding, one dimension: convolution, pooling of every kind']);

describe('op by op on libtensorflow', { skip }, () => {
  const create = (options: EngineOptions) => OpByOpEngine.create('tensorflow', options);
  engineContract(create, false);
  layerContract(create, beyondTensorflowJs, indexed);
});
