import type { Frame } from './frame.js';
import type { Inbox } from './inbox.js';

/** One rank's connections to the other ranks of one generation. The transports implement it. */
export interface Link {
  readonly rank: number;
  readonly worldSize: number;
  /** Where the peers' frames arrive. */
  readonly inbox: Inbox;
  /**
   * Sends a frame to rank `to`; the payload may be reused as soon as the call returns.
   *
   * @returns when there is room for the next one: await it before sending more to the same peer
   * @throws Abandoned once the generation is sealed
   */
  send(to: number, frame: Frame): Promise<void>;
}
