import type { Begin, Generation } from '../../src/cluster/messages.js';

/**
 * Training, modelled by a digest of the state: state k+1 is a hash of state k and of what went into the step. It comes
 * out right only if every micro-batch went in exactly once, computed from state k by everybody.
 */

export const microBatchCount = 12;
export type Digest = number;

/** What a worker sends to its peers for a step. */
export interface Frame {
  readonly generation: Generation;
  readonly step: number;
  readonly from: string;
  /** Of the state that it was computed from. */
  readonly base: Digest;
  /** Micro-batches first..end-1. */
  readonly first: number;
  readonly end: number;
}

export const initialState: Digest = 0x2545f491;

export function ownFrame(begin: Begin, workerId: string, step: number, base: Digest): Frame {
  const rank = begin.members.findIndex((member) => member.workerId === workerId);
  const boundary = (r: number): number => Math.floor((microBatchCount * r) / begin.members.length);
  return { generation: begin.generation, step, from: workerId, base, first: boundary(rank), end: boundary(rank + 1) };
}

/** State after `step`, from one frame of each member, by rank. */
export function nextState(base: Digest, step: number, frames: readonly Frame[]): Digest {
  let position = 0;
  let digest = mix(base, step);
  for (const frame of frames) {
    if (frame.base !== base || frame.first !== position || frame.step !== step)
      digest = mix(digest, 0xbad0 + frame.first + frame.base);
    position = frame.end;
  }
  return position === microBatchCount ? digest : mix(digest, 0xbad1);
}

/** States 0..lastStep of the run with one worker: what everybody else must hold. */
export function undisturbedStates(lastStep: number): readonly Digest[] {
  const states = [initialState];
  for (let step = 1; step <= lastStep; step++) {
    const base = states[step - 1]!;
    const whole = { generation: { term: 1, number: 1 }, step, from: 'only', base, first: 0, end: microBatchCount };
    states.push(nextState(base, step, [whole]));
  }
  return states;
}

function mix(digest: Digest, value: number): Digest {
  let h = Math.imul(digest ^ value, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
