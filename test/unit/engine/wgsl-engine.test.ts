import { describe } from 'node:test';

import { openWebGpuEngine } from '../../../src/engine/wgsl/open-engine.js';
import { engineContract } from '../../contract/engine-contract.js';
import { testGpu, testGpuMissing } from './test-gpu.js';

const skip = await testGpuMissing();

describe('plans on WebGPU', { skip }, () =>
  engineContract((options) => openWebGpuEngine({ ...options, gpu: testGpu })),
);
