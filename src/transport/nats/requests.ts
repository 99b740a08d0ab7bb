import type { JetStreamManager, NatsConnection } from 'nats';
import { isUncertain } from './connection.js';

/** How long a server may take to answer one request. */
export const attemptMs = 1_500;
const attempts = 4;

/**
 * Asks again where the server said nothing. One that is there loses a request now and then: nats-server 2.9 does so with the
 * first reads of a bucket that several programs make at the same time, about one in a hundred.
 *
 * @param request - one that may be carried out twice
 */
export async function answered<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (attempt === attempts || !isUncertain(error)) throw error;
    }
  }
}

export function managerOf(connection: NatsConnection): Promise<JetStreamManager> {
  return answered(() => connection.jetstreamManager({ timeout: attemptMs }));
}
