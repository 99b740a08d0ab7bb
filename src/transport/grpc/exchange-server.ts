import { status } from '@grpc/grpc-js';
import {
  createServer,
  performServerHandshake,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { listenError, type HostPort } from '../../core/address.js';
import { lockstepErrorIn } from '../../core/errors.js';
import { compareGenerations, describeGeneration, noGeneration, type Generation } from '../../cluster/messages.js';
import type { Identity, OnRefused } from '../../security/identity.js';
import { exchangeProtoService } from './definitions.js';
import type { PullRequest__Output } from './generated/lockstep/v1/PullRequest.js';
import type { PullStateRequest__Output } from './generated/lockstep/v1/PullStateRequest.js';
import { ownSocketPath, removeStaleSockets } from './host-socket.js';
import { beginAnswer, readRequest, refuse, windowBytes } from './grpc-http2.js';
import type { GrpcLink } from './grpc-link.js';
import { acceptLent, lenderOf } from './lent-connection.js';
import { SecureListener } from './secure-listener.js';
import { offerHeader } from './slot-file.js';
import { descriptionMessage, partHead } from './state-chunk.js';

const httpSettings = {
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  settings: { maxConcurrentStreams: 100, initialWindowSize: windowBytes },
};
const stateChunkBytes = 1024 * 1024;
/** Peers that may wait for us to learn of a generation. */
const earlyStreamsMax = 10_000;

/** A state as it travels: vectors, and everything else as JSON. */
export interface StateSnapshot {
  readonly description: string;
  readonly vectors: readonly { readonly name: string; readonly values: Float32Array }[];
}

export interface StateRequest {
  readonly what: 'training' | 'best' | 'checkpoint';
  readonly step: number;
  /** Of a checkpoint: write it into the run's shared folder, and say what it is; `seconds` that the run has taken. */
  readonly write?: { readonly seconds: number };
}

const whatOf = { TRAINING: 'training', BEST: 'best', CHECKPOINT: 'checkpoint' } as const;

/** A peer that asks for our frames. */
interface PullCall {
  readonly stream: ServerHttp2Stream;
  readonly request: PullRequest__Output;
  /** It came through the socket of this host. */
  readonly isOfHost: boolean;
}

/** With what a worker shows who it is, beyond this host: on it the socket's permissions say who may connect. */
export interface ExchangeSecurity {
  readonly identity: Identity;
  readonly onRefused: OnRefused;
}

/** One worker's `Exchange` service: peers pull frames and states from it. */
export class ExchangeServer {
  private readonly servers: Pick<Http2Server, 'close'>[] = [];
  private readonly sessions = new Set<ServerHttp2Session>();
  private current: { readonly generation: Generation; readonly link: GrpcLink } | undefined;
  /** The newest generation that was sealed or begun here: older streams are refused. */
  private newest: Generation = noGeneration;
  /** Streams of peers that learned of the next generation before we did. */
  private readonly early: PullCall[] = [];
  /** Takes connections that workers lend; absent: they are refused. Only a hub has a use for them. */
  onLent: ((address: string, connection: Duplex) => void) | undefined;

  /** @param readState - the state that a request names, or the reason why it is not here */
  constructor(
    private readonly runId: string,
    private readonly readState: (request: StateRequest) => StateSnapshot | string | Promise<StateSnapshot | string>,
    private readonly security?: ExchangeSecurity,
  ) {}

  /**
   * @param isPortChosen - if not, any free port will do where this one is taken
   * @returns the port that it has @throws LockstepError as `listenError` says
   */
  async start(at: HostPort, isPortChosen: boolean): Promise<number> {
    try {
      return await this.listen(at);
    } catch (error) {
      if (isPortChosen || lockstepErrorIn(error)?.code !== 'PORT_IN_USE') throw error;
      return this.listen({ ...at, port: 0 });
    }
  }

  /** From now on peers of this generation get what `link` sends. */
  begin(generation: Generation, link: GrpcLink): void {
    this.newest = generation;
    this.current = { generation, link };
    for (const call of this.early.splice(0)) this.pull(call);
  }

  /** Serves a connection that was lent to somebody else. @param onUsed - that one speaks on it now */
  serveLent(connection: Duplex, onUsed: () => void): void {
    const session = performServerHandshake(connection, httpSettings);
    session.once('remoteSettings', onUsed);
    this.attend(session);
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      this.answer(stream, headers, false),
    );
  }

  stop(): void {
    for (const server of this.servers) server.close();
    for (const session of this.sessions) session.destroy();
  }

  /**
   * Listens for workers of this host, too, where that is possible.
   *
   * @param address - under which they know this worker
   */
  async startForHost(address: string): Promise<void> {
    await removeStaleSockets();
    const path = ownSocketPath(this.runId, address);
    if (path === undefined) return;
    const server = this.create(true);
    await new Promise<void>((resolve) => {
      server.once('error', () => resolve()); //                     they take the address instead
      server.listen(path, resolve);
    });
    this.servers.push(server); //                                   closing it removes the file
  }

  private async listen(at: HostPort): Promise<number> {
    const server = this.create(false);
    if (this.security) return this.listenSecurely(server, at, this.security);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: Error) => reject(listenError(error, at, '--exchange-port')));
      server.listen(at.port, at.host, resolve);
    });
    this.servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  private async listenSecurely(server: Http2Server, at: HostPort, security: ExchangeSecurity): Promise<number> {
    const admitted = (socket: TLSSocket): void => void server.emit('connection', socket);
    const listener = new SecureListener({ ...security, admits: ['worker', 'coordinator'], admitted });
    const port = await listener.start(at, '--exchange-port');
    this.servers.push({ close: () => (listener.kill(), server.close()) });
    return port;
  }

  private create(isOfHost: boolean): Http2Server {
    const server = createServer(httpSettings);
    server.on('session', (session) => this.attend(session));
    server.on('stream', (stream, headers) => this.answer(stream, headers, isOfHost));
    return server;
  }

  private attend(session: ServerHttp2Session): void {
    this.sessions.add(session);
    session.on('close', () => this.sessions.delete(session)).on('error', () => undefined);
  }

  private answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, isOfHost: boolean): void {
    stream.on('error', () => undefined); //                         its 'close' tells whom it concerns
    const lender = lenderOf(headers);
    if (lender) {
      if (lender.runId !== this.runId || !this.onLent) return stream.close();
      return this.onLent(lender.address, acceptLent(stream));
    }
    this.serve(stream, headers[':path'] ?? '', isOfHost).catch((error: unknown) =>
      refuse(stream, status.INVALID_ARGUMENT, error instanceof Error ? error.message : String(error)),
    );
  }

  private async serve(stream: ServerHttp2Stream, path: string, isOfHost: boolean): Promise<void> {
    const { Pull, PullState } = exchangeProtoService;
    if (path === Pull.path)
      this.pull({ stream, request: Pull.requestDeserialize(await readRequest(stream)), isOfHost });
    else if (path === PullState.path)
      await this.pullState(stream, PullState.requestDeserialize(await readRequest(stream)));
    else refuse(stream, status.UNIMPLEMENTED, `no method ${path}`);
  }

  private pull(call: PullCall): void {
    const { stream, request, isOfHost } = call;
    const { runId, term, generation: number, rank } = request;
    const asked = { term, number };
    const no = (details: string): void => refuse(stream, status.FAILED_PRECONDITION, details);
    if (runId !== this.runId) return no(`STALE_RUN: this is run ${this.runId}, not ${runId}`);
    const age = compareGenerations(asked, this.newest);
    if (age < 0) return no(`STALE_GENERATION: ${describeGeneration(asked)} is over`);
    if (age > 0 || !this.current) {
      if (this.early.length >= earlyStreamsMax) return no('too many streams wait for a generation');
      return void this.early.push(call);
    }
    const outlet = this.current.link.outlets[rank];
    if (!outlet || rank === this.current.link.rank)
      return no(`no rank ${rank} in generation ${describeGeneration(asked)}`);
    if (stream.destroyed) return;
    const offer = isOfHost ? this.current.link.offerMemory() : undefined;
    beginAnswer(stream, offer === undefined ? {} : { [offerHeader]: offer });
    outlet.attach(stream);
  }

  private async pullState(stream: ServerHttp2Stream, received: PullStateRequest__Output): Promise<void> {
    const { runId, what, step, write, seconds } = received;
    const request: StateRequest = { what: whatOf[what], step, ...(write ? { write: { seconds } } : {}) };
    const state = runId === this.runId ? await this.readState(request) : `this is run ${this.runId}, not ${runId}`;
    if (typeof state === 'string') return refuse(stream, status.NOT_FOUND, state);
    beginAnswer(stream);
    const send = async (...pieces: readonly Uint8Array[]): Promise<void> => {
      if (stream.destroyed) return;
      stream.cork();
      const isRoom = pieces.map((piece) => stream.write(piece)).at(-1);
      stream.uncork();
      if (isRoom) return;
      await new Promise<void>((resolve) => {
        const go = (): void => (stream.off('drain', go).off('close', go), resolve());
        stream.on('drain', go).on('close', go);
      });
    };
    await send(descriptionMessage(state.description));
    for (const { name: vector, values } of state.vectors) {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      for (let offset = 0; offset < bytes.byteLength && !stream.destroyed; offset += stateChunkBytes) {
        const data = bytes.subarray(offset, offset + stateChunkBytes);
        await send(partHead(vector, offset, data.byteLength), data);
      }
    }
    stream.end();
  }
}
