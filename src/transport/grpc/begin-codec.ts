import type { Begin, Member } from '../../cluster/messages.js';
import { compareGenerations } from '../../cluster/messages.js';
import { coordinatorService } from './definitions.js';
import type { Change } from './generated/lockstep/v1/Change.js';
import type { Change__Output } from './generated/lockstep/v1/Change.js';
import { decodeGeneration, encodeFromCoordinator } from './wire.js';

/**
 * A Begin names all members, and goes to all of them. So it is encoded once for all, and a stream that has had one before is
 * told what has changed since: a change that costs W messages of 60 W bytes would need minutes where members are many.
 */
export class BeginEncoder {
  private readonly whole = new WeakMap<Begin, Buffer>();
  private readonly changes = new WeakMap<Begin, WeakMap<Begin, Buffer>>();

  constructor(private readonly runId: string) {}

  /** @param before - the last one on the same stream, if there was one */
  encode(begin: Begin, before: Begin | undefined): Buffer {
    return before ? this.change(before, begin) : this.wholeOf(begin);
  }

  private change(before: Begin, begin: Begin): Buffer {
    let known = this.changes.get(begin);
    if (!known) this.changes.set(begin, (known = new WeakMap()));
    const encoded = known.get(before) ?? this.encodeChange(before, begin);
    known.set(before, encoded);
    return encoded;
  }

  private encodeChange(before: Begin, begin: Begin): Buffer {
    const difference = differenceOf(before.members, begin.members);
    if (!difference) return this.wholeOf(begin);
    const { generation, donor, afterStep, lastStep, globalBatchSize = 0 } = begin;
    const place = { generation, since: before.generation, donor, afterStep, lastStep, globalBatchSize };
    return serialize({ change: { runId: this.runId, ...place, ...difference, ...runsOf(begin.shares) } });
  }

  private wholeOf(begin: Begin): Buffer {
    const encoded = this.whole.get(begin) ?? serialize(encodeFromCoordinator(this.runId, begin));
    this.whole.set(begin, encoded);
    return encoded;
  }
}

const serialize = coordinatorService.Join.responseSerialize;

/** @param before - the last Begin on the same stream @returns undefined if the change is one of another Begin */
export function decodeChange(before: Begin | undefined, wire: Change__Output): Begin | undefined {
  if (!before || compareGenerations(before.generation, decodeGeneration(wire.since)) !== 0) return undefined;
  const gone = new Set(wire.gone);
  const members = [...before.members.filter((_, rank) => !gone.has(rank)), ...wire.joined];
  const { donor, afterStep, lastStep, globalBatchSize, runLengths, runShares } = wire;
  return {
    kind: 'begin',
    generation: decodeGeneration(wire.generation),
    members,
    shares: runShares.flatMap((share, i) => new Array<number>(runLengths[i]!).fill(share)),
    donor,
    afterStep,
    lastStep,
    ...(globalBatchSize > 0 ? { globalBatchSize } : {}),
  };
}

/** Neighbours mostly have the same: where all are about as fast, and in whole micro-batches. */
function runsOf(shares: readonly number[]): Required<Pick<Change, 'runLengths' | 'runShares'>> {
  const runLengths: number[] = [];
  const runShares: number[] = [];
  for (const share of shares) {
    if (share === runShares.at(-1)) runLengths[runLengths.length - 1]! += 1;
    else {
      runShares.push(share);
      runLengths.push(1);
    }
  }
  return { runLengths, runShares };
}

/** @returns undefined if those that stayed have another order */
function differenceOf(
  before: readonly Member[],
  after: readonly Member[],
): Required<Pick<Change, 'gone' | 'joined'>> | undefined {
  const gone: number[] = [];
  let kept = 0;
  for (const [rank, member] of before.entries())
    if (isSame(member, after[kept])) kept += 1;
    else gone.push(rank);
  const joined = after.slice(kept);
  const known = new Set(before.map(({ workerId }) => workerId));
  return joined.some(({ workerId }) => known.has(workerId)) ? undefined : { gone, joined };
}

function isSame(a: Member, b: Member | undefined): boolean {
  return a.workerId === b?.workerId && a.address === b.address;
}
