/** What a worker's last words mean for the run. */
import type { LockstepError } from '../core/errors.js';
import { ownDataFaults } from '../data/own-faults.js';
import { ownFaults } from '../own/faults.js';
import { fault } from './faults.js';

/** Every worker finds the same in the same samples: the run is over, and no other needs to try. */
const foundByAll: ReadonlySet<string> = new Set([
  'NOT_FINITE',
  ...(['SAMPLES_MALFORMED', 'SAMPLE_NOT_FINITE', 'SAMPLE_LABEL_OUT_OF_RANGE'] satisfies (keyof typeof ownDataFaults)[]),
  ...(['LOSS_MALFORMED'] satisfies (keyof typeof ownFaults)[]),
]);

const ofOwnCode: ReadonlySet<string> = new Set(Object.keys({ ...ownDataFaults, ...ownFaults }));

/** Why workers gave up, as they said it. */
export class Failures {
  private last: LockstepError | undefined;

  /** @returns whether the run has to end with it */
  note(error: LockstepError): boolean {
    this.last = error;
    return foundByAll.has(error.code);
  }

  /** Of a worker whose process ended before there was anything to lose. */
  beforeStart(worker: string, reason: string): LockstepError {
    return this.ofOwnCode ?? fault('WORKER_FAILED', { worker, reason: this.last?.message ?? reason });
  }

  /** Of nobody left, the protocol does not know whose loss was the last one, and why. @param step - the last one on record */
  inDetail(
    cause: LockstepError,
    lost: { readonly workerId: string; readonly reason: string } | undefined,
    step: number,
  ): LockstepError {
    if (cause.code !== 'NO_STATE_LEFT' || !lost) return cause;
    const { ofOwnCode } = this;
    return ofOwnCode?.message === lost.reason ? ofOwnCode : fault('LAST_WORKER_LOST', { ...lost, step }, cause);
  }

  /** The last failure, if it lies in the user's own code or data: then it says more than that a worker is lost. */
  private get ofOwnCode(): LockstepError | undefined {
    return this.last && ofOwnCode.has(this.last.code) ? this.last : undefined;
  }
}
