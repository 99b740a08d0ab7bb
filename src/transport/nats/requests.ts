import type { JetStreamManager, NatsConnection } from 'nats';
import { isMissing, isUncertain } from './connection.js';

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

/** Removes what a stream has of a subject; one that is not there has nothing. */
export async function purge(connection: NatsConnection, stream: string, subject: string): Promise<void> {
  const { streams } = await managerOf(connection);
  await answered(() => streams.purge(stream, { filter: subject })).catch(unlessMissing);
}

/** For what is to be gone. @throws any error but that it is not there */
export function unlessMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
