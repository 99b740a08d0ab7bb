import type { Arena } from '../../core/arena.js';
import type { ParameterLayout, TensorSpec } from '../../core/layout.js';
import {
  inSums,
  inWeights,
  none,
  ProgramWriter,
  type Address,
  type InstructionName,
  type Operands,
} from './program.js';

/** A stage's output for a whole block of samples, and the gradient with respect to it. */
export interface Values {
  /** float32[blockSize * size] */
  readonly out: Address;
  /** Shaped as `out`; `none` for the model's input, whose gradient nobody wants. */
  readonly gradient: Address;
  /** Elements of one sample. */
  readonly size: number;
}

/** Floats behind every buffer that a vector load may run into; LANES is at most 16. */
const slack = 16;

/** What the compilers of the stages share: the memory, the parameters, and the programs that they write. */
export class Compilation {
  /** Repacks the weights: once for each new weights. */
  readonly packing = new ProgramWriter();
  /** Forward, for a gradient and for an evaluation. */
  readonly training = new ProgramWriter();
  readonly evaluation = new ProgramWriter();
  /** Written back to front: the last stage's come first. */
  private readonly backward: ProgramWriter[] = [];
  private layer = '';
  /** uint32[4]: what block of what micro-batch is at hand, as `begin_block` in kernels/program.h wants it. */
  readonly block: Address;

  /**
   * @param blockSize - samples that are computed at once, at most
   * @param lanes - floats in one of the kernels' vectors
   * @param seed - of the run: random masks depend on it
   */
  constructor(
    readonly arena: Arena,
    readonly layout: ParameterLayout,
    readonly blockSize: number,
    readonly lanes: number,
    readonly seed: number,
  ) {
    this.block = this.buffer(4);
    this.forward('begin_block', { block: this.block });
  }

  /** What is written from now on belongs to this layer. */
  begin(layer: string): void {
    this.layer = layer;
    for (const writer of [this.packing, this.training, this.evaluation]) writer.layer = layer;
  }

  /** An instruction of the forward pass that training and evaluation have in common. */
  forward<N extends InstructionName>(name: N, operands: Operands<N>): void {
    this.training.emit(name, operands);
    this.evaluation.emit(name, operands);
  }

  /** A multiple of the vectors' length that holds `count`. */
  padded(count: number): number {
    return Math.ceil(count / this.lanes) * this.lanes;
  }

  /** `size` float32 or int32, zeroed. */
  buffer(size: number): Address {
    return this.arena.reserve((size + slack) * 4);
  }

  /** As many for each sample of a block. */
  sampleBuffer(size: number): Address {
    return this.buffer(size * this.blockSize);
  }

  values(size: number): Values {
    return { out: this.sampleBuffer(size), gradient: this.sampleBuffer(size), size };
  }

  /** Adds a stage's backward pass, which runs before those added earlier. */
  backwardStage(): ProgramWriter {
    const writer = new ProgramWriter(this.layer);
    this.backward.unshift(writer);
    return writer;
  }

  backwardPass(): readonly ProgramWriter[] {
    return this.backward;
  }

  /** Where a weight lies, and its gradient in the sums. That of a frozen one is computed for nobody. */
  parameter({ name }: TensorSpec): { readonly weights: Address; readonly sums: Address; readonly size: number } {
    const { offset, size } = this.slot(name);
    const isTrained = offset < this.layout.parameterCount;
    return { weights: inWeights(offset), sums: isTrained ? inSums(offset) : this.buffer(size), size };
  }

  /** Where the statistic of a running average goes in the sums. */
  statistic({ name }: TensorSpec): Address {
    const { offset } = this.slot(name);
    const average = this.layout.averages.find((a) => a.offset === offset)!;
    return inSums(this.layout.parameterCount + average.extra);
  }

  private slot(name: string) {
    const slot = this.layout.tensors.find((tensor) => tensor.name === name);
    if (!slot) throw new Error(`no parameter ${name}`);
    return slot;
  }

  /** Copies rows of a parameter to rows that are padded with zeros. */
  packed(weights: Address, rows: number, columns: number): Address {
    const to = this.buffer(rows * this.padded(columns));
    this.packing.emit('pack_rows', { from: weights, to, rows, columns, to_stride: this.padded(columns) });
    return to;
  }

  /** A vector of weights where vectors can be loaded from, and its gradient; `none` without one. */
  vector(weight: TensorSpec | undefined): { readonly weights: Address; readonly sums: Address } {
    if (!weight) return { weights: none, sums: none };
    const { weights, sums, size } = this.parameter(weight);
    return { weights: this.packed(weights, 1, size), sums };
  }

  /** A layer's bias, padded; `none` without one. Its gradient is the sum over `rows` rows a sample. */
  bias(
    { useBias, weights }: { readonly useBias: boolean; readonly weights: readonly TensorSpec[] },
    columns: number,
    gradient: Address,
    rows: number,
    backward: ProgramWriter,
  ): Address {
    if (!useBias) return none;
    const bias = this.parameter(weights.at(-1)!);
    backward.emit('column_sums', { in: gradient, out: bias.sums, rows, columns });
    return this.packed(bias.weights, 1, columns);
  }
}
