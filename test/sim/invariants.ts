import assert from 'node:assert/strict';
import { compareGenerations, describeGeneration, type Begin, type JournalRecord } from '../../src/cluster/messages.js';
import type { WorkerMembership } from '../../src/cluster/worker-membership.js';
import { initialDigest, undisturbed, type Digest, type Frame } from './training.js';

/** A worker as the checks see it. */
export interface Observed {
  readonly core: WorkerMembership;
  readonly digest: Digest;
  readonly wantsToLeave: boolean;
}

export function termOf(record: JournalRecord): number {
  return record.kind === 'term' ? record.term : record.generation.term;
}

/** What must hold after every event, whatever happens to the cluster. Each check throws at the event that breaks it. */
export class Invariants {
  /** By step: what the run with one worker holds, with the batches that were used. */
  readonly states: Digest[] = [initialDigest];
  /** By step: its micro-batches, as whoever finished it first had them. */
  private readonly batches: number[] = [];
  readonly journal: JournalRecord[] = [];
  private readonly letGo = new Set<string>();
  /** The final state is stored. */
  isStored = false;

  /** Whoever finishes a step holds the one possible result, in a generation that it has not sealed. */
  stepFinished({ core, digest }: Observed, begin: Begin, step: number, batch: number): void {
    const where = `${core.workerId}, step ${step} of generation ${describeGeneration(begin.generation)}`;
    this.batches[step] ??= batch;
    assert.equal(batch, this.batches[step], `${where}: its batch had another size before`);
    this.states[step] ??= undisturbed(this.states[step - 1]!, step, batch);
    assert.equal(digest, this.states[step], `${where}: not the result of the undisturbed run`);
    assert.equal(core.sealing, undefined, `${where}: a step was finished that should be abandoned`);
    assert.ok(compareGenerations(core.sealed, begin.generation) <= 0, `${where}: it was sealed before`);
    assert.ok(step <= begin.lastStep, `${where}: it is past the last step`);
    // What peers had sent before they answered the next Seal may still finish one step; two would be a second progress.
    const next = this.begins().find((later) => compareGenerations(later.generation, begin.generation) > 0);
    if (next) assert.ok(step <= next.afterStep + 1, `${where}: generation ${describeGeneration(next.generation)} runs`);
  }

  /** All members evaluate one state, each its part. */
  evaluated(workerId: string, step: number, frames: readonly Frame[]): void {
    for (const { base, from } of frames)
      assert.equal(base, this.states[step], `${workerId}: ${from} evaluated another state after step ${step}`);
  }

  /** Two coordinators never act at the same time: who has begun a term is the only one that writes (rule 12). */
  written(record: JournalRecord): void {
    const newest = Math.max(0, ...this.journal.map(termOf));
    // An End names the generation that ends, which may be of an earlier term.
    const isInTime = record.kind === 'end' || termOf(record) >= newest;
    assert.ok(isInTime, `a ${record.kind} of term ${termOf(record)} when term ${newest} has begun`);
    this.journal.push(record);
  }

  /** A Begin goes into the journal: its members are sealed, none would go back, and somebody holds its state. */
  planned(begin: Begin, member: (workerId: string) => Observed | undefined): void {
    const name = describeGeneration(begin.generation);
    const newest = this.begins().at(-1);
    if (newest) assert.ok(compareGenerations(begin.generation, newest.generation) > 0, `generation ${name} is not new`);
    for (const { workerId } of begin.members) {
      const found = member(workerId);
      if (!found) continue; //                                       lost meanwhile
      assert.ok(found.core.finishedStep <= begin.afterStep, `${workerId} would go back to step ${begin.afterStep}`);
      assert.ok(
        compareGenerations(found.core.sealed, begin.generation) >= 0,
        `${workerId} did not answer Seal ${name}`,
      );
    }
    const donor = member(begin.members[begin.donor]!.workerId);
    if (donor) assert.equal(donor.core.finishedStep, begin.afterStep, `the donor of ${name} does not hold its state`);
    if (newest) assert.ok(begin.afterStep >= newest.afterStep - 1, `generation ${name} throws finished steps away`);
  }

  announced(begin: Begin): void {
    assert.ok(
      this.begins().some((b) => b === begin),
      `${describeGeneration(begin.generation)} is not in the journal`,
    );
    // Who was stopped between the two may announce it when another one leads; nobody heeds it then.
    const isSucceeded = this.journal.some((r) => r.kind === 'term' && r.term > begin.generation.term);
    const newest = this.begins().at(-1);
    assert.ok(isSucceeded || newest === begin, `${describeGeneration(begin.generation)} is not the newest`);
  }

  endAnnounced(): void {
    assert.ok(this.isStored, 'an End before the final state was stored');
    assert.ok(this.isEnded(), 'an End that is not in the journal');
  }

  /**
   * Who is let go is not named by the generation that runs, or that will.
   *
   * @param isSpare - nothing runs, and others hold what it holds
   */
  dismissed(workerId: string, pending: Begin | undefined, isSpare: boolean): void {
    if (this.letGo.has(workerId)) return; //                          it had not heard of it, or was slow to go
    this.letGo.add(workerId);
    const named = (pending ?? this.begins().at(-1))?.members.some((member) => member.workerId === workerId);
    assert.ok(isSpare || !named, `${workerId} was let go, but the newest Begin names it`);
  }

  /** Rule 13: the state is given up only when nobody who may hold it lives, but for leavers that were let go. */
  gaveUp(member: (workerId: string) => Observed | undefined): void {
    const newest = this.begins().at(-1);
    for (const { workerId } of newest?.members ?? []) {
      const found = member(workerId);
      const holds = found?.core.hasState && !found.wantsToLeave && found.core.finishedStep >= newest!.afterStep - 1;
      assert.ok(!holds, `${workerId} lives and holds the state after step ${found?.core.finishedStep}`);
    }
  }

  exited({ core, digest }: Observed, wasDismissed: boolean): void {
    if (wasDismissed) return;
    assert.ok(this.isEnded(), `${core.workerId} exited before the End was in the journal`);
    const last = this.begins().at(-1)!;
    if (last.members.some(({ workerId }) => workerId === core.workerId))
      assert.equal(digest, this.states[core.finishedStep], `${core.workerId} exited with another state`);
  }

  isEnded(): boolean {
    return this.journal.some(({ kind }) => kind === 'end');
  }

  begins(): readonly Begin[] {
    return this.journal.filter((record) => record.kind === 'begin');
  }
}
