import { describe } from 'node:test';

import { readTopology } from '../../src/engine/topology.js';
import { gapInGpuPlans } from '../../src/engine/wgsl/coverage.js';
import { openWebGpuEngine } from '../../src/engine/wgsl/open-engine.js';
import { layerContract } from '../contract/layer-contract.js';
import { layerModels, ownModels } from '../contract/layer-models.js';
import { testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';

const skip = await testGpuMissing();

const gaps = Object.fromEntries(
  Object.entries({ ...layerModels, ...ownModels }).flatMap(([name, make]) => {
    const gap = gapInGpuPlans(readTopology(make().spec));
    return gap ? [[name, `runs op by op on a GPU: ${gap.reason}`]] : [];
  }),
);

describe('plans on WebGPU, layer by layer', { skip }, () =>
  layerContract((options) => openWebGpuEngine({ ...options, gpu: testGpu }), gaps, new Set(), 2e-2),
);
