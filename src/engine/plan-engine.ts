import type { Arena } from '../core/arena.js';
import { evaluationCount, type ParameterLayout } from '../core/layout.js';
import type { SumOfSquares } from '../optim/norm.js';
import { CompiledLoops } from './compiled-loops.js';
import type { Engine, EngineOptions, SamplePlace } from './engine.js';
import { loadWasmKernels, type Kernels } from './kernels.js';
import { loadNativeKernels } from './native-kernels.js';
import { compilePlan, forEachBlock, type Plan } from './plan/plan.js';
import type { Program } from './plan/program.js';
import { layoutOfTopology, readTopology, type Topology } from './topology.js';

/** Engines that run plans on our own kernels. They differ in speed alone. */
export type PlanEngineName = 'wasm' | 'native';

const loaders: Readonly<Record<PlanEngineName, (arena: Arena) => Kernels | Promise<Kernels>>> = {
  wasm: (arena) => loadWasmKernels(arena),
  native: loadNativeKernels,
};

const start: SamplePlace = { epoch: 0, position: 0 };

/** Our own kernels, in WebAssembly SIMD or natively: a plan, run on the thread that calls. Needs no TensorFlow.js. */
export class PlanEngine implements Engine {
  readonly deterministic = true;
  readonly layout: ParameterLayout;
  readonly x: Float32Array;
  readonly y: Int32Array;
  readonly targets: Float32Array;
  readonly sumOfSquares: SumOfSquares;
  /** Where the plan was compiled for it. */
  readonly setLossScale?: (scale: number) => void;
  private weights: Float32Array | undefined;

  private constructor(
    readonly name: PlanEngineName,
    private readonly kernels: Kernels,
    readonly plan: Plan,
    private readonly topology: Topology,
    arena: Arena,
  ) {
    this.layout = layoutOfTopology(topology);
    this.x = plan.x;
    this.y = plan.y;
    this.targets = plan.targets;
    const { lossScale } = plan;
    if (lossScale) this.setLossScale = (scale) => void (lossScale[0] = scale);
    this.sumOfSquares = new CompiledLoops(kernels, arena).sumOfSquares;
  }

  /** @throws LockstepError `LAYER_UNSUPPORTED`, `MODEL_UNSUPPORTED`, `KERNELS_UNREADABLE`, `ENGINE_UNAVAILABLE` */
  static async create(name: PlanEngineName, options: EngineOptions): Promise<PlanEngine> {
    return PlanEngine.over(name, await loaders[name](options.arena), options);
  }

  /** @param kernels - over the arena; of several instruction sets not the best one, for example */
  static over(name: PlanEngineName, kernels: Kernels, options: EngineOptions): PlanEngine {
    const { model, microBatchSize, arena, seed, scalesLoss } = options;
    const topology = readTopology(model);
    const plan = compilePlan(topology, microBatchSize, arena, kernels.lane_count(), seed, undefined, scalesLoss);
    return new PlanEngine(name, kernels, plan, topology, arena);
  }

  setWeights(weights: Float32Array): void {
    if (weights.length !== this.layout.weightCount)
      throw new RangeError(`${weights.length} weights for ${this.layout.weightCount}`);
    demandArena(weights);
    this.weights = weights;
    this.run(this.plan.packing, 1, weights); //                 it writes no sums
  }

  gradientSum(m: number, sum: Float32Array, place = start): void {
    this.check(m, sum, this.layout.parameterCount + this.layout.extraCount);
    forEachBlock(this.plan, m, place, (count) => this.run(this.plan.gradient, count, sum));
  }

  evaluate(m: number, extras: Float32Array): void {
    this.check(m, extras, evaluationCount);
    forEachBlock(this.plan, m, start, (count) => this.run(this.plan.evaluation, count, extras));
  }

  add(target: Float32Array, source: Float32Array): void {
    if (target.length !== source.length)
      throw new RangeError(`cannot add ${source.length} elements to ${target.length}`);
    this.kernels.add(0, target.byteOffset, source.byteOffset, target.length);
  }

  tensorCount(): number {
    return 0;
  }

  /** A program, or a part of one. @throws Error before the first `setWeights` */
  run({ address, length }: Pick<Program, 'address' | 'length'>, m: number, sums: Float32Array): void {
    if (!this.weights) throw new Error('no weights were set');
    this.kernels.run_program(0, address, length, m, this.weights.byteOffset, sums.byteOffset);
  }

  /** The kernels trust what they are given, so that nothing but this stands between a wrong length and the memory. */
  private check(m: number, sums: Float32Array, sumsLength: number): void {
    if (!Number.isInteger(m) || m < 1 || m > this.y.length)
      throw new RangeError(`a micro-batch of ${m} samples in a plan for ${this.y.length}`);
    if (sums.length !== sumsLength) throw new RangeError(`a vector of ${sums.length} for ${sumsLength} sums`);
    demandArena(sums);
    const { loss, outputs } = this.topology;
    if (loss !== 'softmaxCrossEntropy') return;
    for (let i = 0; i < m; i++) {
      const label = this.y[i]!;
      if (label < 0 || label >= outputs)
        throw new RangeError(`label ${label} of sample ${i} is not in 0..${outputs - 1}`);
    }
  }
}

function demandArena(vector: Float32Array): void {
  if (!(vector.buffer instanceof SharedArrayBuffer)) throw new TypeError('a vector that is not in the arena');
}
