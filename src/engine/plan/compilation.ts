import type { Arena } from '../../core/arena.js';
import type { ParameterLayout } from '../../core/layout.js';
import type { ActivationName } from '../topology.js';
import { inSums, inWeights, none, ProgramWriter, type Address } from './program.js';

/** A stage's output for a whole micro-batch, and the gradient with respect to it. */
export interface Values {
  /** float32[microBatchSize * size] */
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
  readonly forward = new ProgramWriter();
  /** Written back to front: the last stage's come first. */
  private readonly backward: ProgramWriter[] = [];

  /**
   * @param microBatchSize - samples of the largest micro-batch
   * @param lanes - floats in one of the kernels' vectors
   */
  constructor(
    readonly arena: Arena,
    readonly layout: ParameterLayout,
    readonly microBatchSize: number,
    readonly lanes: number,
  ) {}

  /** A multiple of the vectors' length that holds `count`. */
  padded(count: number): number {
    return Math.ceil(count / this.lanes) * this.lanes;
  }

  /** `size` float32 or int32, zeroed. */
  buffer(size: number): Address {
    return this.arena.reserve((size + slack) * 4);
  }

  /** As many for each sample of a micro-batch. */
  sampleBuffer(size: number): Address {
    return this.buffer(size * this.microBatchSize);
  }

  values(size: number): Values {
    return { out: this.sampleBuffer(size), gradient: this.sampleBuffer(size), size };
  }

  /** Adds a stage's backward pass, which runs before those added earlier. */
  backwardStage(): ProgramWriter {
    const writer = new ProgramWriter();
    this.backward.unshift(writer);
    return writer;
  }

  backwardPass(): readonly ProgramWriter[] {
    return this.backward;
  }

  /** Where a parameter lies in the weights, and its gradient in the sums. */
  parameter(name: string): { readonly weights: Address; readonly sums: Address } {
    const slot = this.layout.tensors.find((tensor) => tensor.name === name);
    if (!slot) throw new Error(`no parameter ${name}`);
    return { weights: inWeights(slot.offset), sums: inSums(slot.offset) };
  }

  /** Copies rows of a parameter to rows that are padded with zeros. */
  packed(weights: Address, rows: number, columns: number): Address {
    const to = this.buffer(rows * this.padded(columns));
    this.packing.emit('pack_rows', { from: weights, to, rows, columns, to_stride: this.padded(columns) });
    return to;
  }

  /** A layer's bias, padded; `none` without one. Its gradient is the sum over `rows` rows a sample. */
  bias(
    layer: string,
    useBias: boolean,
    columns: number,
    gradient: Address,
    rows: number,
    backward: ProgramWriter,
  ): Address {
    if (!useBias) return none;
    const bias = this.parameter(`${layer}.bias`);
    backward.emit('column_sums', { in: gradient, out: bias.sums, rows, columns });
    return this.packed(bias.weights, 1, columns);
  }
}

/** As `enum activation_kind` in kernels/activation.h. */
export const activationKinds: Readonly<Record<ActivationName, number>> = { linear: 0, relu: 1, tanh: 2, sigmoid: 3 };

/** Turns the gradient behind an activation into the one before it, in place. */
export function activationBackward(
  writer: ProgramWriter,
  activation: ActivationName,
  { out, gradient, size }: Values,
): void {
  if (activation !== 'linear')
    writer.emit('activation_backward', { out, gradient, size, kind: activationKinds[activation] });
}
