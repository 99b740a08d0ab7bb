/** What a plan does and how long each part takes: `lockstep engines --explain MODEL`. */
import { createArena, type Arena } from '../core/arena.js';
import type { Clock } from '../core/clock.js';
import { randomStream } from '../core/random.js';
import { initialiseWeights } from './initial-weights.js';
import type { Window } from './layers/operation.js';
import type { Picture } from './layers/source.js';
import type { ModelSpec } from './model-spec.js';
import { PlanEngine, type PlanEngineName } from './plan-engine.js';
import { elements, outOperands, pictureOperands, windowOperands } from './plan/picture.js';
import { none, ProgramWriter, type Program } from './plan/program.js';
import { workOf, type Work } from './plan/work.js';

/** One call of a kernel. */
export interface ExplainedKernel extends Work {
  readonly pass: 'packing' | 'training';
  readonly layer: string;
  readonly kernel: string;
  /** Of the fastest run: a run can only be disturbed. */
  readonly milliseconds: number;
}

export interface Explanation {
  readonly kernels: readonly ExplainedKernel[];
  /** What the kernels were run on. */
  readonly samples: number;
  /** Multiply-adds a second of the fastest inner loop there is, on data in the first-level cache. */
  readonly peak: number;
  /** Of the arena, for weights, gradients and everything in between. */
  readonly bytes: number;
}

/**
 * Compiles a model and runs its plan kernel by kernel.
 *
 * @param microBatchSize - of which one block is run: `samples`
 * @param rounds - runs of each kernel, of which the fastest counts
 * @throws what `PlanEngine.create` throws
 */
export async function explain(
  name: PlanEngineName,
  model: ModelSpec,
  microBatchSize: number,
  clock: Clock,
  rounds = 30,
): Promise<Explanation> {
  const arena = createArena();
  const begin = arena.reserve(0);
  const engine = await PlanEngine.create(name, { model, microBatchSize, arena });
  const { layout, plan } = engine;
  const m = plan.blockSize;
  const weights = arena.float32(layout.weightCount);
  const sums = arena.float32(layout.parameterCount + layout.extraCount);
  const bytes = arena.reserve(0) - begin;
  initialiseWeights(layout, 1, weights);
  const random = randomStream(1, model.name);
  for (let i = 0; i < engine.x.length; i++) engine.x[i] = random.uniform();
  engine.setWeights(weights);

  const measured = (program: Program, pass: ExplainedKernel['pass']): ExplainedKernel[] => {
    const fastest = program.instructions.map(() => Infinity);
    for (let round = 0; round < rounds; round++) {
      for (const [i, { position, length }] of program.instructions.entries()) {
        const before = clock.nowMs();
        engine.run({ address: program.address + 4 * position, length }, m, sums);
        fastest[i] = Math.min(fastest[i]!, clock.nowMs() - before);
      }
    }
    return program.instructions.map((instruction, i) => ({
      ...{ pass, layer: instruction.layer, kernel: instruction.name, milliseconds: fastest[i]! },
      ...workOf(instruction, m),
    }));
  };
  const kernels = [...measured(plan.packing, 'packing'), ...measured(plan.gradient, 'training')];
  return { kernels, samples: m, peak: peakOf(engine, arena, sums, clock), bytes };
}

/** A convolution whose picture and weights stay in the first-level cache: little but the inner loop of all kernels. */
function peakOf(engine: PlanEngine, arena: Arena, sums: Float32Array, clock: Clock): number {
  const [calls, size, filters] = [100, 5, 16];
  const window: Window = { size: [size, size], stride: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0] };
  const [from, to]: [Picture, Picture] = [
    [12, 12, 8],
    [8, 8, filters],
  ];
  const place = (count: number): number => arena.float32(count + 16).byteOffset;
  const patch = size * size * from[2];
  const writer = new ProgramWriter();
  const [input, weights, out] = [place(elements(from)), place(patch * filters), place(elements(to))];
  for (let i = 0; i < calls; i++)
    writer.emit('convolution_forward', {
      ...{ in: input, weights, bias: none, out, offsets: none, filters, activation: 0 },
      ...{ ...pictureOperands(from), ...windowOperands(window), ...outOperands(to) },
    });
  const program = writer.store(arena);
  let fastest = Infinity;
  for (let round = 0; round < 50; round++) {
    const before = clock.nowMs();
    engine.run(program, 1, sums);
    fastest = Math.min(fastest, clock.nowMs() - before);
  }
  return (calls * elements(to) * patch * 1e3) / fastest;
}
