import { connect as connectHttp2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { windowBytes } from './grpc-http2.js';

/**
 * Connections that a worker lends to the hub of a star. The worker dials, and the hub speaks first: over such a connection it
 * is the client of the worker's `Exchange`, so that nobody has to be able to dial a worker. They travel as HTTP/2's CONNECT
 * within the hub's own service, behind its port and its TLS.
 */
const runHeader = 'lockstep-run';

export interface LendTarget {
  readonly hubAddress: string;
  /** Connects to it with TLS; absent: plain text. */
  readonly connect?: (() => Duplex) | undefined;
  readonly runId: string;
  /** Under which the run knows this worker, though nobody dials it. */
  readonly ownAddress: string;
}

export interface LendEvents {
  /** The hub will speak on it when it needs it. */
  opened(connection: Duplex): void;
  /** Called once, whatever came before, unless it was closed here. */
  closed(reason: string): void;
}

/** Lends one connection. @returns takes it back */
export function lendConnection(target: LendTarget, events: LendEvents): () => void {
  const { hubAddress, connect, runId, ownAddress } = target;
  const session = connectHttp2(`http://${hubAddress}`, {
    settings: { initialWindowSize: windowBytes, enablePush: false },
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
    ...(connect ? { createConnection: connect } : {}),
  });
  let isOver = false;
  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    session.destroy();
    events.closed(reason);
  };
  session.once('connect', () => {
    if (!session.destroyed) session.setLocalWindowSize(windowBytes);
  });
  session.on('error', (error: Error) => end(error.message));
  session.on('close', () => end('the hub closed the connection'));
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': ownAddress, [runHeader]: runId },
    { endStream: false },
  );
  stream.on('response', (headers) => {
    if (headers[':status'] === 200) events.opened(stream);
    else end(`the hub answers ${String(headers[':status'])}`);
  });
  stream.on('error', (error: Error) => end(error.message));
  stream.on('close', () => end('the hub ended it'));
  return () => {
    isOver = true;
    session.destroy();
  };
}

/** What a worker says of a connection that it lends. */
export interface Lender {
  readonly runId: string;
  readonly address: string;
}

/** Of a request that lends a connection; undefined for any other one. */
export function lenderOf(headers: IncomingHttpHeaders): Lender | undefined {
  if (headers[':method'] !== 'CONNECT') return undefined;
  const runId = headers[runHeader];
  return { runId: typeof runId === 'string' ? runId : '', address: headers[':authority'] ?? '' };
}

/** Takes a connection that was lent. */
export function acceptLent(stream: ServerHttp2Stream): Duplex {
  stream.session?.setLocalWindowSize(windowBytes);
  stream.respond({ ':status': 200 });
  return stream;
}
