import type { Begin } from '../cluster/messages.js';
import type { Heartbeat, Hello } from '../cluster/session.js';

/**
 * Why a worker is gone: its connection broke, it was silent, it gave up and said why, it could not hand over a state that
 * it had, or it asked to leave.
 */
export type DepartureCause = 'connection' | 'silence' | 'failure' | 'state' | 'leave';

/** Who looks on while a run goes: metrics, the live page, a trace. What they do reaches no result. */
export interface RunWatch {
  /** A worker was let in; it takes part once a generation names it. @param isMember - the one that runs does so already */
  arrived(hello: Hello, isMember: boolean): void;
  /** @param reason - in words */
  departed(workerId: string, cause: DepartureCause, reason: string): void;
  /** A generation begins. The same one may be told again. */
  began(begin: Begin): void;
  /** @param receivedAtMs - by the coordinator's clock */
  heartbeat(workerId: string, heartbeat: Heartbeat, receivedAtMs: number): void;
}
