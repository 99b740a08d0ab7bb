import type { Clock } from '../core/clock.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import type { ExchangeServer } from '../transport/grpc/exchange-server.js';

/** Before another attempt to reach the hub. */
const pauseMs = 200;

export interface LendingNeeds {
  readonly peers: ExchangeClients;
  readonly server: ExchangeServer;
  readonly clock: Clock;
  /** Under which the run knows this worker. */
  readonly ownAddress: string;
}

/**
 * Keeps one unused connection lent to the hub of a star, from which it fetches frames and states: whenever it uses one, another
 * is lent.
 */
export class Lending {
  private readonly takeBack = new Set<() => void>();
  private hub: string | undefined;
  private isOver = false;

  constructor(private readonly needs: LendingNeeds) {}

  /** From now on to the hub at that address. */
  to(hub: string): void {
    if (hub === this.hub) return;
    this.hub = hub;
    this.lend(hub);
  }

  close(): void {
    this.isOver = true;
    for (const takeBack of this.takeBack) takeBack();
  }

  private lend(hub: string): void {
    const { peers, server, clock, ownAddress } = this.needs;
    let isUsed = false;
    const takeBack = peers.lend(hub, ownAddress, {
      opened: (connection) =>
        server.serveLent(connection, () => {
          isUsed = true;
          if (this.isWanted(hub)) this.lend(hub);
        }),
      closed: () => {
        this.takeBack.delete(takeBack);
        if (!isUsed) clock.setTimer(pauseMs, () => this.isWanted(hub) && this.lend(hub));
      },
    });
    this.takeBack.add(takeBack);
  }

  private isWanted(hub: string): boolean {
    return !this.isOver && this.hub === hub;
  }
}
