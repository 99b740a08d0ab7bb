import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { onRefusal, requestHeaders, windowBytes, withPrefix } from './grpc-http2.js';
import { MessageAssembler } from './message-assembler.js';
import { offerHeader } from './slot-file.js';

export interface PullEvents {
  /** A message came; its bytes are valid during the call. */
  message(bytes: Buffer): void;
  /** Over the socket only, before any message: the peer's payloads may be read in memory (slot-file.ts). */
  memory?(offer: string): void;
  /** What came is no message, or was not wanted: nothing more is read. */
  failed(error: Error): void;
  /** Nothing more will come. Called once, unless the stream was closed here. @param isWhole - whether the peer said that this is all */
  ended(reason: string, isWhole: boolean): void;
}

export interface PullTarget {
  /** `host:port`. */
  readonly address: string;
  /** A Unix socket that leads there, too. */
  readonly socketPath?: string | undefined;
  /** Connects to the address with TLS; absent: plain text. */
  readonly connect?: (() => Duplex) | undefined;
  readonly path: string;
  readonly request: Uint8Array;
}

/** One call, of `Pull` or `PullState`: a connection of its own, on which messages come until either side ends it. */
export class PullStream {
  private session: ClientHttp2Session;
  private isOver = false;

  constructor(
    private readonly target: PullTarget,
    private readonly events: PullEvents,
  ) {
    this.session = this.connect(target.socketPath);
  }

  /** A socket that nobody listens at was left by a worker that was killed: the address then decides. */
  private connect(socketPath: string | undefined): ClientHttp2Session {
    const { target, events } = this;
    const createConnection = socketPath === undefined ? target.connect : () => connect(socketPath);
    const session = connectHttp2(`http://${target.address}`, {
      settings: { initialWindowSize: windowBytes, enablePush: false },
      maxSessionMemory: Number.MAX_SAFE_INTEGER, //                  what is in flight is bounded by the window
      ...(createConnection ? { createConnection } : {}),
    });
    let isConnected = false;
    let isMine = true;
    let isWhole = false;
    const end = (reason: string): void => {
      if (this.isOver || !isMine) return;
      isMine = false;
      session.destroy();
      if (socketPath !== undefined && !isConnected) {
        this.session = this.connect(undefined);
        return;
      }
      this.close();
      events.ended(reason, isWhole);
    };
    session.once('connect', () => {
      isConnected = true;
      // Node says so a moment later than it is true; a session that was given up in between throws at whoever uses it.
      if (!session.destroyed) session.setLocalWindowSize(windowBytes);
    });
    session.on('error', (error: Error) => end(error.message));
    session.on('close', () => end('it closed the connection'));
    const stream = session.request(requestHeaders(target.path));
    const assembler = new MessageAssembler((message) => events.message(message));
    onRefusal(stream, end);
    stream.on('trailers', () => (isWhole = true)); //                 after a refusal it is over already
    if (socketPath !== undefined)
      stream.on('response', (headers) => {
        const offer = headers[offerHeader];
        if (typeof offer === 'string') events.memory?.(offer);
      });
    stream.on('data', (chunk: Buffer) => {
      if (this.isOver) return;
      try {
        assembler.push(chunk);
      } catch (error) {
        this.close();
        events.failed(error as Error);
      }
    });
    stream.on('error', (error: Error) => end(error.message));
    stream.on('end', () => end('it ended its stream'));
    stream.end(withPrefix(target.request));
    return session;
  }

  /** @param answered - is not called by a peer that is gone, or behind a network that is */
  ping(answered: () => void): void {
    if (!this.session.destroyed) this.session.ping(answered);
  }

  close(): void {
    this.isOver = true;
    this.session.destroy();
  }
}
