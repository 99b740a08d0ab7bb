import {
  logVerbosity,
  ServerCredentials,
  setLogVerbosity,
  status,
  type ChannelOptions,
  type Server,
  type ServiceError,
} from '@grpc/grpc-js';
import { formatHostPort, listenError, type HostPort } from '../../core/address.js';

// grpc-js prints its own view of every failure on the console; each one reaches us as an error too, and is told once.
setLogVerbosity(logVerbosity.NONE);

/**
 * For channels that receive bulk data: with the default window of 64 KiB a stream moves 250 MB/s, with this one 1,500.
 * A proxy from `http_proxy`, which grpc-js obeys by default, has no place between the members of a cluster.
 */
export const channelOptions: ChannelOptions = {
  'grpc-node.flow_control_window': 16 * 1024 * 1024,
  'grpc.enable_http_proxy': 0,
  // A network that swallows packets breaks no stream; without this a wait would last as long as TCP tries, a quarter hour.
  'grpc.keepalive_time_ms': 5_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
};

/**
 * Binds and starts a server.
 *
 * @param at - port 0 for any free one
 * @param flag - with which a person chooses the port, for the error
 * @returns the port that it has
 * @throws LockstepError `PORT_IN_USE`, `PORT_NOT_PERMITTED`, `ADDRESS_NOT_HERE`
 */
export async function listen(server: Server, at: HostPort, flag: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatHostPort(at), ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(listenError(withCode(error), at, flag));
      else resolve(port);
    });
  });
}

/** What an error says, for the inside of a sentence. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, details } = error as Partial<ServiceError>;
  return details ? `${details} (${status[code ?? status.UNKNOWN]})` : error.message;
}

/** grpc-js hides the system's error code in its message. */
function withCode(error: Error): Error {
  const code = /\b(EADDRINUSE|EADDRNOTAVAIL|EACCES|ENOTFOUND)\b/.exec(error.message)?.[1];
  const unresolved = /Name resolution/.test(error.message) ? 'ENOTFOUND' : undefined;
  return Object.assign(error, { code: code ?? unresolved });
}
