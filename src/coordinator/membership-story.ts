import type { Speeds } from '../cluster/balance.js';
import { ByWorker } from '../cluster/by-worker.js';
import { compareGenerations, type Begin } from '../cluster/messages.js';
import type { RunEvent } from '../core/events.js';

/** Tells what changed from one generation to the next, once each, and why. */
export class MembershipStory {
  private told: Begin | undefined;
  private readonly reasons = new Map<string, string>();

  /** A worker is gone, or about to go. The first reason counts: what follows from it is not why. */
  left(workerId: string, reason: string): void {
    if (!this.reasons.has(workerId)) this.reasons.set(workerId, reason);
  }

  /** Who left last, and why. */
  get lastToLeave(): { readonly workerId: string; readonly reason: string } | undefined {
    const last = [...this.reasons].at(-1);
    return last && { workerId: last[0], reason: last[1] };
  }

  /** @returns the event, or undefined if there is nothing to tell: the first generation, a repeated one, nothing changed */
  begun(
    begin: Begin,
    speeds: Speeds = new ByWorker(),
  ): Extract<RunEvent, { type: 'membership' | 'ranges' }> | undefined {
    const before = this.told;
    if (before && compareGenerations(before.generation, begin.generation) >= 0) return undefined;
    this.told = begin;
    if (!before) return undefined;
    const joined = missingIn(before, begin);
    const left = missingIn(begin, before);
    if (joined.length + left.length === 0) return rangesMoved(before, begin, speeds);
    return {
      type: 'membership',
      generation: begin.generation.number,
      step: begin.afterStep,
      worldSize: begin.members.length,
      joined,
      left,
      reason: [...new Set(left.map((workerId) => this.reasons.get(workerId) ?? 'unknown'))].join('; '),
    };
  }
}

/** The members are the same, their ranges are not. */
function rangesMoved(
  before: Begin,
  { generation, members, shares, afterStep }: Begin,
  speeds: Speeds,
): Extract<RunEvent, { type: 'ranges' }> | undefined {
  if (shares.every((share, rank) => share === before.shares[rank])) return undefined;
  const workers = members.map(({ workerId }, rank) => ({
    workerId,
    microBatches: shares[rank]!,
    secondsPerSample: speeds.get(workerId) ?? null,
  }));
  return { type: 'ranges', generation: generation.number, step: afterStep, workers };
}

/** Members of `other` that `begin` does not have. */
function missingIn(begin: Begin, other: Begin): readonly string[] {
  const known = new Set(begin.members.map(({ workerId }) => workerId));
  return other.members.flatMap(({ workerId }) => (known.has(workerId) ? [] : [workerId]));
}
