import type { Lifetime } from '../core/lifetime.js';
import type { GrpcLink } from '../transport/grpc/grpc-link.js';
import { fault } from './faults.js';

/** How long the coordinator has to act after a peer's stream broke: its own heartbeats decide within 2 s. */
const peerGoneMs = 15_000;

export interface GonePeersNeeds {
  readonly life: Pick<Lifetime, 'after' | 'fail'>;
  readonly coordinatorAddress: string;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** Whether the stream to the coordinator is open. */
  isCoordinatorThere(): boolean;
  /** The last step that was finished here. */
  finishedStep(): number;
}

/** Peers whose streams broke. Such a report alone removes nobody: the coordinator decides, but it has to. */
export class GonePeers {
  constructor(private readonly needs: GonePeersNeeds) {}

  /** @param name - of its worker; undefined: the hub, which is the coordinator's and ends its streams when it seals */
  add(link: GrpcLink, rank: number, name: string | undefined, reason: string): void {
    const { log, coordinatorAddress } = this.needs;
    if (name !== undefined) {
      log.info(`the stream from rank ${rank} at ${link.addressOf(rank)} broke: ${reason}`);
      if (!this.needs.isCoordinatorThere())
        log.warn(
          `waiting for the coordinator at ${coordinatorAddress}: worker ${name} is gone, and it alone can change who takes part`,
        );
    }
    this.limit(link, rank, reason);
  }

  /**
   * No wait is without limit, but that for a coordinator that is away has its own. When two workers cannot reach each other,
   * one of them is enough to go: the lower rank gives the other one time to.
   */
  private limit(link: GrpcLink, rank: number, reason: string): void {
    const { life } = this.needs;
    const wasOpen = this.needs.isCoordinatorThere();
    const limitMs = link.rank > rank ? peerGoneMs : 2 * peerGoneMs;
    life.after(limitMs, () => {
      if (link.isClosed) return;
      if (!wasOpen || !this.needs.isCoordinatorThere()) return this.limit(link, rank, reason);
      const [address, step] = [link.addressOf(rank), this.needs.finishedStep()];
      life.fail(fault('PEER_GONE', { rank, address, step, waitedSeconds: limitMs / 1000, reason }));
    });
  }
}
