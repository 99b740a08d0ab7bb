import type { RandomStream } from '../../core/random.js';

/** A place in the unit cube, one coordinate for each dimension. */
export type Position = readonly number[];

/**
 * Proposes a generation at a time, and learns of all of its scores at once: so what it proposes does not depend on how many
 * trials run side by side, or which of them is done first.
 */
export interface SearchMethod {
  propose(): readonly Position[];
  /** @param scores - of the places just proposed, in their order; the larger the better, -Infinity for a failure */
  learn(scores: readonly number[]): void;
}

export interface SearchOptions {
  readonly dimensions: number;
  /** Places in a generation. */
  readonly population: number;
  readonly random: RandomStream;
}

export function randomPlaces(count: number, dimensions: number, random: RandomStream): readonly Position[] {
  return Array.from({ length: count }, () => Array.from({ length: dimensions }, () => random.uniform()));
}
