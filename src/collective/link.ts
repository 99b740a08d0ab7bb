import type { Frame } from './frame.js';
import type { Inbox } from './inbox.js';

/** One rank's connections to the other ranks of one generation. The transports implement it. */
export interface Link {
  /** Of a member 0..worldSize-1; `worldSize` itself is the hub of a star. */
  readonly rank: number;
  readonly worldSize: number;
  /** Where the peers' frames arrive. */
  readonly inbox: Inbox;
  /**
   * Sends a frame to rank `to`. Frames for one rank arrive in the order of the calls.
   *
   * @returns when the payload is not needed any more: until then nobody may write to it
   * @throws Abandoned once the generation is sealed
   */
  send(to: number, frame: Frame): Promise<void>;
  /** Resolves when what was sent is on its way, for whoever would rather compute after that. Absent: it is at once. */
  departed?(): Promise<void>;
}
