import { LockstepError } from '../core/errors.js';
import type { Engine, EngineName, EngineOptions } from './engine.js';
import type { ModelSpec } from './model-spec.js';
import { nativeStatus } from './native-kernels.js';
import { readTopology } from './topology.js';

/** An engine, and why it is this one. */
export interface EngineChoice {
  readonly engine: EngineName;
  /** A clause for the log: "auto: plans cover every layer of lenet5". */
  readonly reason: string;
}

/**
 * `auto` takes the fastest engine that can train the model: where a plan covers it `native`, or `wasm` where the addon is
 * not to be had, else `wasm` op by op, naming the layer that no plan covers.
 *
 * @throws LockstepError `MODEL_UNSUPPORTED` for what no engine can train
 */
export function chooseEngine(wanted: EngineName | 'auto', model: ModelSpec): EngineChoice {
  if (wanted !== 'auto' && wanted !== 'wasm') return { engine: wanted, reason: 'as asked for' };
  const gap = gapInPlans(model);
  if (gap !== undefined) return { engine: 'wasm', reason: `op by op, which is slower: ${gap}` };
  if (wanted === 'wasm') return { engine: wanted, reason: 'as asked for' };
  const native = nativeStatus();
  return native.available
    ? { engine: 'native', reason: `auto: plans cover every layer of ${model.name}, ${native.variant}` }
    : { engine: 'wasm', reason: `auto: plans cover every layer of ${model.name}; not native: ${native.reason}` };
}

/** The first layer that no plan covers, and why; undefined if there is none. @throws LockstepError `MODEL_UNSUPPORTED` */
function gapInPlans(model: ModelSpec): string | undefined {
  try {
    readTopology(model);
    return undefined;
  } catch (error) {
    if (!(error instanceof LockstepError) || error.code !== 'LAYER_UNSUPPORTED') throw error;
    return error.message;
  }
}

/** Whether this engine runs the model as a plan on our own kernels. @throws LockstepError `MODEL_UNSUPPORTED` */
export function hasPlan(name: EngineName, model: ModelSpec): name is 'native' | 'wasm' {
  return name === 'native' || (name === 'wasm' && gapInPlans(model) === undefined);
}

/** Loads an engine's code only when that engine is wanted: TensorFlow.js takes a second and 100 MB. */
export async function createEngine(name: EngineName, options: EngineOptions): Promise<Engine> {
  if (name === 'webgpu') return (await import('./wgsl/open-engine.js')).openWebGpuEngine(options);
  return hasPlan(name, options.model)
    ? (await import('./plan-engine.js')).PlanEngine.create(name, options)
    : (await import('./op-by-op/op-by-op-engine.js')).OpByOpEngine.create(name, options);
}
