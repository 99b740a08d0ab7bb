import type { WorkerConfig } from '../config/index.js';
import { formatHostPort } from '../core/address.js';
import { systemClock, type Clock } from '../core/clock.js';
import { fault } from '../transport/faults.js';
import { connectNats, type NatsOnlooker } from '../transport/nats/connection.js';
import { Leases } from '../transport/nats/lease.js';

/** How often NATS is asked for a coordinator that it does not know yet. */
const lookMs = 250;
/** When the user is told that we wait. */
const sayMs = 1_000;

/** Where a worker finds its coordinator, now and after another one has taken over. */
export interface Locator {
  /** `10.0.0.1:7070`, or what it is called where it is looked up. */
  readonly inWords: string;
  /** @throws LockstepError `RUN_NOT_LED` */
  find(): Promise<string>;
  /** As `find`, but tries for a while. @param onWaiting - called once, when it takes long */
  wait(timeoutSeconds: number, clock: Clock, onWaiting: () => void): Promise<string>;
  close(): Promise<void>;
}

export async function locator(
  { coordinator, nats, run, name }: WorkerConfig,
  onlooker: NatsOnlooker,
): Promise<Locator> {
  if (coordinator) {
    const address = formatHostPort(coordinator);
    const here = () => Promise.resolve(address);
    return { inWords: address, find: here, wait: here, close: () => Promise.resolve() };
  }
  const connection = await connectNats(nats!, `lockstep worker ${name ?? ''}`, onlooker);
  const leases = await Leases.open(connection, systemClock);
  const look = async (): Promise<string | undefined> => (await leases.holderOf(run!))?.address || undefined;
  const missing = (seconds: number) => fault('RUN_NOT_LED', { run: run!, seconds });
  return {
    inWords: `run ${run!} in NATS`,
    async find() {
      const address = await look();
      if (address === undefined) throw missing(0);
      return address;
    },
    async wait(timeoutSeconds, clock, onWaiting) {
      const beganMs = clock.nowMs();
      let hasSaid = false;
      for (;;) {
        const address = await look();
        if (address !== undefined) return address;
        const waitedMs = clock.nowMs() - beganMs;
        if (waitedMs >= timeoutSeconds * 1000) throw missing(timeoutSeconds);
        if (waitedMs >= sayMs && !hasSaid) {
          hasSaid = true;
          onWaiting();
        }
        await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      }
    },
    close: () => connection.close(),
  };
}
