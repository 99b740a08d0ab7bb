import { describe } from 'node:test';

import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { layerContract } from '../../contract/layer-contract.js';

describe('wasm', () => layerContract((options) => PlanEngine.create('wasm', options)));
