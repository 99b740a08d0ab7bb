import type { Member, Progress } from '../cluster/messages.js';
import { lockstepErrorIn } from '../core/errors.js';
import type { RunReport } from '../core/events.js';

/** How often workers that hold the final state may fail to give it. */
const failuresMax = 5;

export type StoringOutcome =
  | { readonly kind: 'stored'; readonly report: RunReport }
  /** This member cannot give it now; all others hold the same. */
  | { readonly kind: 'unavailable'; readonly reason: string }
  /** Asked again, since somebody is back. */
  | { readonly kind: 'under-way' };

/** The final state on its way to where the run's results go: once, from whichever member gives it. */
export class FinalState {
  private isUnderWay = false;
  private failures = 0;

  constructor(private readonly store: (member: Member, progress: Progress) => Promise<RunReport>) {}

  /** @throws LockstepError as `Results.storeFinal` does; `STATE_UNAVAILABLE` after some attempts */
  async storeFrom(member: Member, progress: Progress): Promise<StoringOutcome> {
    if (this.isUnderWay) return { kind: 'under-way' };
    this.isUnderWay = true;
    try {
      return { kind: 'stored', report: await this.store(member, progress) };
    } catch (error) {
      this.isUnderWay = false;
      this.failures += 1;
      if (lockstepErrorIn(error)?.code !== 'STATE_UNAVAILABLE' || this.failures >= failuresMax) throw error;
      return { kind: 'unavailable', reason: (error as Error).message };
    }
  }
}
