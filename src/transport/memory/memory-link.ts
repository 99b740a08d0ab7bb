import { Abandoned } from '../../collective/faults.js';
import type { Frame } from '../../collective/frame.js';
import { Inbox } from '../../collective/inbox.js';
import type { Link } from '../../collective/link.js';

/**
 * When a frame arrives: calls `deliver` now, later or, for a link that is cut, never; with another frame, for one that is
 * damaged. Frames between two ranks stay in order, as on a stream.
 */
export type Delivery = (from: number, to: number, frame: Frame, deliver: (changed?: Frame) => void) => void;

/**
 * The links of one generation inside one process: the twin of the real transport, for tests and simulations.
 *
 * @param withHub - whether the last of them is the hub of a star, beside the members
 */
export function memoryLinks(
  worldSize: number,
  generation: number,
  delivery: Delivery = (_from, _to, _frame, deliver) => deliver(),
  withHub = false,
): readonly MemoryLink[] {
  const links: MemoryLink[] = [];
  for (let rank = 0; rank < worldSize + (withHub ? 1 : 0); rank++)
    links.push(new MemoryLink(rank, generation, links, worldSize, delivery));
  return links;
}

export class MemoryLink implements Link {
  readonly inbox: Inbox;
  private closed: Abandoned | undefined;

  constructor(
    readonly rank: number,
    generation: number,
    private readonly links: readonly MemoryLink[],
    readonly worldSize: number,
    private readonly delivery: Delivery,
  ) {
    this.inbox = new Inbox(generation);
  }

  async send(to: number, frame: Frame): Promise<void> {
    if (this.closed) throw this.closed;
    const copy: Frame = { ...frame, payload: frame.payload.slice() };
    this.delivery(this.rank, to, copy, (changed = copy) => this.links[to]!.inbox.deliver(this.rank, changed));
  }

  close(reason: string): void {
    this.closed = new Abandoned(reason);
    this.inbox.close(reason);
  }
}
