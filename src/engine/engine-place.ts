/** In which thread a worker's engine computes. */
import { createArena } from '../core/arena.js';
import { hasPlan } from './choose-engine.js';
import type { EngineName } from './engine.js';
import type { ModelSpec } from './model-spec.js';
import { compilePlan } from './plan/plan.js';
import { workOf } from './plan/work.js';
import { layoutOfTopology, readTopology } from './topology.js';

/** `own`: beside the worker's main thread. `main`: in it, which exchanges between two micro-batches. */
export type EnginePlace = 'own' | 'main';

export interface PlaceNeeds {
  readonly engine: EngineName;
  readonly model: ModelSpec;
  readonly microBatchSize: number;
  /** Whether the samples lie in memory. */
  readonly isResident: boolean;
  readonly threads: number;
  /** Of this machine, for so many workers. */
  readonly cores: number;
  readonly localWorkers: number;
}

/** Of one micro-batch, forward and backward: 5 to 10 ms on one core, after which peers and the coordinator are heard. */
const multiplyAddsMax = 1e8;
/** What is longer leaves in so many pieces that the exchange needs a thread while the engine computes. */
const parametersMax = 1 << 20;

/**
 * @param wanted - `auto`: in the main thread where each core has one worker, and none is left for a second thread. With
 *   more workers than cores a thread of its own was faster, with a core to spare as fast (docs/performance.md).
 * @returns `own` too where `main` cannot be
 */
export function enginePlace(wanted: EnginePlace | 'auto', needs: PlaceNeeds): EnginePlace {
  if (wanted === 'own' || needs.threads > 1 || !needs.isResident) return 'own';
  const { engine, model, microBatchSize } = needs;
  if (!hasPlan(engine, model)) return 'own'; //                      others wait for a device, have threads, or are slow
  if (wanted === 'main') return 'main';
  if (needs.cores !== needs.localWorkers) return 'own';
  return isShort(model, microBatchSize) ? 'main' : 'own';
}

function isShort(model: ModelSpec, microBatchSize: number): boolean {
  const topology = readTopology(model);
  if (layoutOfTopology(topology).parameterCount > parametersMax) return false;
  const { gradient } = compilePlan(topology, 1, createArena(), 4);
  const perSample = gradient.instructions.reduce((sum, each) => sum + workOf(each, 1).multiplyAdds, 0);
  return perSample * microBatchSize <= multiplyAddsMax;
}
