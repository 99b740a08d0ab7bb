import type { Begin, Generation } from '../../src/cluster/messages.js';
import { rangesByShare } from '../../src/collective/ranges.js';

/**
 * Training, modelled by a digest of the state: state k+1 is a hash of state k and of what went into the step. It comes
 * out right only if every micro-batch went in exactly once, computed from state k by everybody. Beside it the state has
 * the size of the next step's batch, in micro-batches.
 */

export type Digest = number;

/** Micro-batches of the first step, and of all others where the batch does not follow the cluster. */
export const firstBatch = 12;

export interface SimState {
  readonly digest: Digest;
  /** Micro-batches of the next step (rule 2). */
  readonly batch: number;
}

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
  /** Of the state after `step`, not of the way there. */
  readonly isEvaluation: boolean;
  /** Nothing but that `from` has opened the step. */
  readonly isHeader?: boolean;
}

export const initialDigest: Digest = 0x2545f491;

/** @param batch - micro-batches of the step */
export function ownFrame(
  begin: Begin,
  workerId: string,
  step: number,
  base: Digest,
  batch: number,
): Omit<Frame, 'isEvaluation' | 'isHeader'> {
  const rank = begin.members.findIndex((member) => member.workerId === workerId);
  const { first, end } = rangesByShare(batch, begin.shares)[rank]!;
  return { generation: begin.generation, step, from: workerId, base, first, end };
}

/** Digest of the state after `step`, from one frame of each member, by rank. */
export function nextDigest(base: Digest, step: number, frames: readonly Frame[], batch: number): Digest {
  let position = 0;
  let digest = mix(mix(base, step), batch);
  for (const frame of frames) {
    if (frame.base !== base || frame.first !== position || frame.step !== step)
      digest = mix(digest, 0xbad0 + frame.first + frame.base);
    position = frame.end;
  }
  return position === batch ? digest : mix(digest, 0xbad1);
}

/** What a single worker would hold after `step`: what everybody else must hold. */
export function undisturbed(base: Digest, step: number, batch: number): Digest {
  const whole = {
    generation: { term: 1, number: 1 },
    step,
    from: 'only',
    base,
    first: 0,
    end: batch,
    isEvaluation: false,
  };
  return nextDigest(base, step, [whole], batch);
}

function mix(digest: Digest, value: number): Digest {
  let h = Math.imul(digest ^ value, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
