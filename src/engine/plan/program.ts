import type { Arena } from '../../core/arena.js';
import { instructions } from './instructions.js';

export type InstructionName = keyof typeof instructions;

/** Where an operand lies: bytes from the start of the memory, or in a vector that each run names. 0 is "none". */
export type Address = number;

export const none: Address = 0;

/** In the weights' vector of the run; `offset` in elements. */
export const inWeights = (offset: number): Address => (offset * 4) | 1;
/** In the sums' vector of the run; `offset` in elements. */
export const inSums = (offset: number): Address => (offset * 4) | 2;

/** In the samples of the micro-batch, counted from the first one of the block at hand. */
export const inSamples = (address: Address): Address => address | 3;

const scratch = new DataView(new ArrayBuffer(4));

/** A float32 operand, as its bits. */
export function bitsOf(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getInt32(0);
}

/** Everything that an instruction wants to know, by name. */
export type Operands<N extends InstructionName> = Readonly<Record<(typeof instructions)[N][number], number>>;

/** An instruction of a program, for those who look at it. */
export interface Instruction {
  readonly name: InstructionName;
  readonly operands: Readonly<Record<string, number>>;
  /** The layer that it belongs to. */
  readonly layer: string;
  /** 32-bit words, and how many lie before it. */
  readonly length: number;
  readonly position: number;
}

/** A program in memory: what `run_program` is called with. */
export interface Program {
  readonly address: Address;
  /** 32-bit words. */
  readonly length: number;
  readonly instructions: readonly Instruction[];
}

const names = Object.keys(instructions) as InstructionName[];

/** Instructions, written one after the other. */
export class ProgramWriter {
  private readonly words: number[] = [];
  private readonly written: Instruction[] = [];

  /** @param layer - what the instructions that follow belong to */
  constructor(public layer = '') {}

  emit<N extends InstructionName>(name: N, operands: Operands<N>): void {
    const fields: readonly (typeof instructions)[N][number][] = instructions[name];
    const { layer } = this;
    this.written.push({ name, operands, layer, length: 1 + fields.length, position: this.words.length });
    this.words.push(names.indexOf(name), ...fields.map((field) => operands[field]));
  }

  append(other: ProgramWriter): void {
    const shift = this.words.length;
    this.written.push(...other.written.map((i) => ({ ...i, position: i.position + shift })));
    this.words.push(...other.words);
  }

  /** Copies the program to where the kernels can read it. */
  store(arena: Arena): Program {
    const address = arena.reserve(this.words.length * 4);
    new Uint32Array(arena.buffer, address, this.words.length).set(this.words);
    return { address, length: this.words.length, instructions: this.written };
  }
}
