import type { Begin } from '../cluster/messages.js';
import type { Clock } from '../core/clock.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { IncomingState } from './state-transfer.js';
import type { TrainingState } from './training-state.js';

/** How long to wait before everybody is asked again. */
const pauseMs = 200;
/** For how long nobody may have the state, before this worker gives up: a lost donor makes a new Seal much sooner. */
const limitMs = 60_000;

/**
 * Pulls state `begin.afterStep` into the spare copy, from the donor or from anybody level (rule 8), and makes it this
 * worker's own. When the donor is lost there will be another Seal, which aborts this; until then everybody is asked in turn,
 * again and again.
 *
 * @returns from whom it is; undefined when `signal` was aborted
 * @throws LockstepError `STATE_UNAVAILABLE` after a minute, `STATE_MISMATCH`
 */
export async function pullFromAnybody(
  state: TrainingState,
  begin: Begin,
  ownId: string,
  peers: ExchangeClients,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const donor = begin.members[begin.donor]!;
  const others = begin.members.filter(({ workerId }) => workerId !== donor.workerId && workerId !== ownId);
  // In a star nobody but the hub can be dialled, and it asks the others.
  const sources = peers.hub === undefined ? [donor, ...others] : [{ workerId: 'the hub', address: peers.hub }];
  const request = { what: 'training', step: begin.afterStep } as const;
  const beganMs = clock.nowMs();
  for (;;) {
    let failure: unknown;
    for (const { workerId, address } of sources) {
      const incoming = new IncomingState(state);
      let description: string | undefined;
      try {
        description = await peers.pullStateInto(address, begin.generation, request, incoming, signal);
      } catch (error) {
        failure ??= error; //                                        the donor's says most
      }
      if (signal.aborted) return undefined;
      if (description === undefined) continue;
      incoming.adopt(description);
      return workerId;
    }
    if (clock.nowMs() - beganMs > limitMs) throw failure;
    await new Promise<void>((resolve) => void clock.setTimer(pauseMs, resolve));
    if (signal.aborted) return undefined;
  }
}
