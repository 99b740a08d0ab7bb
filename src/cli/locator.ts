import type { WorkerConfig } from '../config/index.js';
import { formatHostPort, type HostPort } from '../core/address.js';
import { systemClock, type Clock } from '../core/clock.js';
import { fault } from '../transport/faults.js';
import { connectNats, type NatsOnlooker } from '../transport/nats/connection.js';
import { Leases } from '../transport/nats/lease.js';
import { natsAccess } from './nats-access.js';
import { answersInWords, firstReachable, systemNetwork, type Network } from './first-reachable.js';

/** How often somebody who is not there yet is looked for. */
const lookMs = 250;
/** When the user is told that we wait. */
const sayMs = 1_000;

/** Where a worker finds its coordinator, now and after another one has taken over. */
export interface Locator {
  /** `10.0.0.1:7070`, or what it is called where it is looked up. */
  readonly inWords: string;
  /** That it is not there, yet. */
  readonly notYet: string;
  /** @throws LockstepError `RUN_NOT_LED`, `NATS_SILENT`, `COORDINATOR_UNREACHABLE` */
  find(): Promise<string>;
  /** As `find`, but tries for a while. @param onWaiting - called once, when it takes long */
  wait(timeoutSeconds: number, clock: Clock, onWaiting: () => void): Promise<string>;
  close(): Promise<void>;
}

export async function locator(
  config: Pick<WorkerConfig, 'coordinator' | 'nats' | 'natsCreds' | 'natsCa' | 'run' | 'name'>,
  onlooker: NatsOnlooker,
): Promise<Locator> {
  const { coordinator, run, name } = config;
  if (coordinator) return addressLocator(coordinator, systemNetwork(systemClock));
  const connection = await connectNats(natsAccess(config)!, `lockstep worker ${name ?? ''}`, onlooker);
  const leases = await Leases.open(connection, systemClock);
  return {
    inWords: `run ${run!} in NATS`,
    notYet: `run ${run!} in NATS is not there yet`,
    ...looking(async (seconds) => {
      try {
        const address = (await leases.holderOf(run!))?.address;
        return address ? address : fault('RUN_NOT_LED', { run: run!, seconds });
      } catch (error) {
        return fault('NATS_SILENT', { seconds, reason: (error as Error).message }, error);
      }
    }),
    close: () => connection.close(),
  };
}

/** The first of some addresses at which somebody accepts connections: names are looked up each time. */
export function addressLocator(candidates: readonly HostPort[], network: Network): Locator {
  const inWords = candidates.map(formatHostPort).join(',');
  return {
    inWords,
    notYet: `nobody answers at ${inWords} yet`,
    ...looking(async (seconds) => {
      const { found, answers } = await firstReachable(candidates, network);
      return found ?? fault('COORDINATOR_UNREACHABLE', { address: inWords, seconds, reason: answersInWords(answers) });
    }),
    close: () => Promise.resolve(),
  };
}

/** @param look - gives an address, or the error that says why there is none */
function looking(look: (seconds: number) => Promise<string | Error>): Pick<Locator, 'find' | 'wait'> {
  return {
    async find() {
      const outcome = await look(0);
      if (typeof outcome !== 'string') throw outcome;
      return outcome;
    },
    async wait(timeoutSeconds, clock, onWaiting) {
      const beganMs = clock.nowMs();
      let hasSaid = false;
      for (;;) {
        const outcome = await look(timeoutSeconds);
        if (typeof outcome === 'string') return outcome;
        const waitedMs = clock.nowMs() - beganMs;
        if (waitedMs >= timeoutSeconds * 1000) throw outcome;
        if (waitedMs >= sayMs && !hasSaid) {
          hasSaid = true;
          onWaiting();
        }
        await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      }
    },
  };
}
