import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import { extraCount, type Engine, type EngineOptions } from './engine.js';
import { loadWasmKernels, type Kernels } from './kernels.js';
import { loadNativeKernels } from './native-kernels.js';
import { compilePlan, type Plan } from './plan/plan.js';
import type { Program } from './plan/program.js';
import { layoutOfTopology, readTopology } from './topology.js';

/** Engines that run plans on our own kernels. They differ in speed alone. */
export type PlanEngineName = 'wasm' | 'native';

const loaders: Readonly<Record<PlanEngineName, (arena: Arena) => Kernels | Promise<Kernels>>> = {
  wasm: (arena) => loadWasmKernels(arena),
  native: loadNativeKernels,
};

/** Our own kernels, in WebAssembly SIMD or natively: a plan, run on the thread that calls. Needs no TensorFlow.js. */
export class PlanEngine implements Engine {
  readonly deterministic = true;
  readonly x: Float32Array;
  readonly y: Int32Array;

  private constructor(
    readonly name: PlanEngineName,
    readonly layout: ParameterLayout,
    private readonly kernels: Kernels,
    private readonly plan: Plan,
    private readonly classes: number,
  ) {
    this.x = plan.x;
    this.y = plan.y;
  }

  /** @throws LockstepError `LAYER_UNSUPPORTED`, `MODEL_UNSUPPORTED`, `KERNELS_UNREADABLE`, `ENGINE_UNAVAILABLE` */
  static async create(name: PlanEngineName, options: EngineOptions): Promise<PlanEngine> {
    const { model, microBatchSize, arena } = options;
    const topology = readTopology(model);
    const kernels = await loaders[name](arena);
    const plan = compilePlan(topology, microBatchSize, arena, kernels.lane_count());
    return new PlanEngine(name, layoutOfTopology(topology), kernels, plan, topology.classes);
  }

  gradientSum(m: number, weights: Float32Array, sum: Float32Array): void {
    this.check(m, weights, sum, this.layout.parameterCount + extraCount);
    this.run(this.plan.packing, m, weights, sum);
    this.run(this.plan.gradient, m, weights, sum);
  }

  evaluate(m: number, weights: Float32Array, extras: Float32Array): void {
    this.check(m, weights, extras, extraCount);
    this.run(this.plan.packing, m, weights, extras);
    this.run(this.plan.evaluation, m, weights, extras);
  }

  add(target: Float32Array, source: Float32Array): void {
    if (target.length !== source.length)
      throw new RangeError(`cannot add ${source.length} elements to ${target.length}`);
    this.kernels.add(0, target.byteOffset, source.byteOffset, target.length);
  }

  tensorCount(): number {
    return 0;
  }

  private run({ address, length }: Program, m: number, weights: Float32Array, sums: Float32Array): void {
    this.kernels.run_program(0, address, length, m, weights.byteOffset, sums.byteOffset);
  }

  /** The kernels trust what they are given, so that nothing but this stands between a wrong length and the memory. */
  private check(m: number, weights: Float32Array, sums: Float32Array, sumsLength: number): void {
    if (!Number.isInteger(m) || m < 1 || m > this.y.length)
      throw new RangeError(`a micro-batch of ${m} samples in a plan for ${this.y.length}`);
    if (weights.length !== this.layout.parameterCount)
      throw new RangeError(`${weights.length} weights for ${this.layout.parameterCount} parameters`);
    if (sums.length !== sumsLength) throw new RangeError(`a vector of ${sums.length} for ${sumsLength} sums`);
    for (const vector of [weights, sums])
      if (!(vector.buffer instanceof SharedArrayBuffer)) throw new TypeError('a vector that is not in the arena');
    for (let i = 0; i < m; i++) {
      const label = this.y[i]!;
      if (label < 0 || label >= this.classes)
        throw new RangeError(`label ${label} of sample ${i} is not in 0..${this.classes - 1}`);
    }
  }
}
