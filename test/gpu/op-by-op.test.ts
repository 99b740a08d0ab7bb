import { describe } from 'node:test';

import { OpByOpEngine } from '../../src/engine/op-by-op/op-by-op-engine.js';
import { engineContract } from '../contract/engine-contract.js';
import { testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';

const skip = await testGpuMissing();

describe('op by op on WebGPU', { skip }, () =>
  engineContract((options) => OpByOpEngine.create('webgpu', { ...options, gpu: testGpu }), false),
);
