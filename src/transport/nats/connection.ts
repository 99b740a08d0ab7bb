import type { NatsConnection } from 'nats';
import { fault } from '../faults.js';

export type { NatsConnection };

/** How long the first attempt may take; later the client goes on trying for as long as the program runs. */
const firstAttemptMs = 5_000;
const reconnectMs = 250;

export interface NatsOnlooker {
  readonly log: { info(text: string): void; warn(text: string): void };
  /** The server is there, or is not any more. */
  readonly onReach?: (isReached: boolean) => void;
}

/**
 * @param url - `nats://host:4222`, or several with commas between
 * @param name - who we are, for the server's own monitoring
 * @throws LockstepError `NATS_UNREACHABLE`
 */
export async function connectNats(
  url: string,
  name: string,
  { log, onReach = () => undefined }: NatsOnlooker,
): Promise<NatsConnection> {
  // Loaded by whoever uses it: it takes a tenth of a second, and a coordinator in place of one that died is in a hurry.
  const { connect, Events } = await import('nats');
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: url.split(','),
      name,
      timeout: firstAttemptMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectMs,
      pingInterval: 2_000, //                                        a server that is cut off without a word is noticed, too
      maxPingOut: 2,
    });
  } catch (error) {
    throw fault('NATS_UNREACHABLE', { url, reason: (error as Error).message }, error);
  }
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) {
        onReach(false);
        log.warn(`NATS at ${url} is out of reach: steps go on, but who takes part cannot change until it is back`);
      }
      if (type === Events.Reconnect) {
        onReach(true);
        log.info(`NATS at ${url} is back`);
      }
    }
  })();
  return connection;
}

/** Whether a failed request says nothing about what the server did: it may be tried again. */
export function isUncertain(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return ['TIMEOUT', '503', 'CONNECTION_CLOSED', 'DISCONNECT', 'CONNECTION_REFUSED'].includes(String(code));
}

/** Whether the server knows no such stream, or no such message. */
export function isMissing(error: unknown): boolean {
  const [noMessage, noStream] = [10037, 10059];
  const code = (error as { api_error?: { err_code?: number } }).api_error?.err_code;
  return code === noMessage || code === noStream;
}

/** Whether the server refused a write, since somebody else has written meanwhile. */
export function isConflict(error: unknown): boolean {
  const wrongLastSequence = 10071;
  return (error as { api_error?: { err_code?: number } }).api_error?.err_code === wrongLastSequence;
}
