import type { Arena } from '../core/arena.js';
import { sumOfSquares, type SumOfSquares } from '../optim/norm.js';
import { updateLoops, type LoopCall, type Optimizer, type OptimizerState } from '../optim/optimizer.js';
import type { Kernels } from './kernels.js';

/** As `loop_call` in kernels/program.h has it, in 32-bit words. */
const words = {
  loop: 0,
  begin: 1,
  end: 2,
  gradient: 3,
  weights: 4,
  slots: 5,
  weightsNext: 8,
  slotsNext: 9,
  numbers: 16,
};
const slotCount = words.weightsNext - words.slots;
const numberCount = 16;

/** The loops of update rules, and norms, by the kernels: several times as fast as in TypeScript, with the same bits. */
export class CompiledLoops {
  private readonly call: Uint32Array;
  private readonly numbers: Float64Array;

  constructor(
    private readonly kernels: Kernels,
    arena: Arena,
  ) {
    const address = arena.reserve(4 * words.numbers + 8 * numberCount);
    this.call = new Uint32Array(arena.buffer, address, words.numbers);
    this.numbers = new Float64Array(arena.buffer, address + 4 * words.numbers, numberCount);
  }

  /** The same rule, whose `update` is done by kernels where all vectors are shared ones, and so in the arena. */
  optimizer(rule: Optimizer): Optimizer {
    return {
      ...rule,
      update: (from, to, gradientSum, scalars, factors, begin, end) => {
        if (![from, to].every((state) => this.hasState(state)) || !this.has(gradientSum))
          return rule.update(from, to, gradientSum, scalars, factors, begin, end);
        const { call } = this;
        call[words.loop] = updateLoops.indexOf(rule.loop);
        call[words.gradient] = gradientSum.byteOffset;
        call[words.weights] = from.weights.byteOffset;
        call[words.weightsNext] = to.weights.byteOffset;
        for (let i = 0; i < slotCount; i++) {
          call[words.slots + i] = from.slots[i]?.byteOffset ?? 0;
          call[words.slotsNext + i] = to.slots[i]?.byteOffset ?? 0;
        }
        for (const part of rule.calls(scalars, factors, begin, end, from.weights.length)) this.run(part);
      },
    };
  }

  /** As `sumOfSquares` in optim/norm.ts. */
  readonly sumOfSquares: SumOfSquares = (values, begin, end, scale = 1) => {
    if (!this.has(values)) return sumOfSquares(values, begin, end, scale);
    this.call[words.loop] = updateLoops.length;
    this.call[words.weights] = values.byteOffset;
    this.run({ begin, end, numbers: { scale } });
    return this.numbers[0]!;
  };

  private run({ begin, end, numbers }: LoopCall): void {
    this.call[words.begin] = begin;
    this.call[words.end] = end;
    this.numbers.set(Object.values(numbers));
    this.kernels.run_loop(0, this.call.byteOffset);
  }

  private hasState({ weights, slots }: OptimizerState): boolean {
    return this.has(weights) && slots.every((slot) => this.has(slot));
  }

  private has({ buffer, BYTES_PER_ELEMENT }: Float32Array): boolean {
    return buffer instanceof SharedArrayBuffer && BYTES_PER_ELEMENT === 4;
  }
}
