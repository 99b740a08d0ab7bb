import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Begin } from '../../cluster/messages.js';
import type { Channel, ChannelListener, FromCoordinator, FromWorker, Hello } from '../../cluster/session.js';
import { isLoopback, type HostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import type { Identity, OnRefused } from '../../security/identity.js';
import { BeginEncoder } from './begin-codec.js';
import { listen } from './channels.js';
import { coordinatorService, gateService } from './definitions.js';
import { addDoctor, type DoctorFacts } from './doctor-server.js';
import { GateServer, renewal, type GateKeeper } from './gate-server.js';
import type { BlobChunk } from './generated/lockstep/v1/BlobChunk.js';
import type { CoordinatorMessage } from './generated/lockstep/v1/CoordinatorMessage.js';
import type { FetchBlobRequest__Output } from './generated/lockstep/v1/FetchBlobRequest.js';
import type { WorkerMessage__Output } from './generated/lockstep/v1/WorkerMessage.js';
import type { Presence } from './presence.js';
import { SecureListener } from './secure-listener.js';
import { decodeFromWorker, encodeFromCoordinator, runIdOf } from './wire.js';

/** What is the same for many is encoded once, and comes here as bytes. */
type JoinCall = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage | Buffer>;
type BlobCall = ServerWritableStream<FetchBlobRequest__Output, BlobChunk>;

const { responseSerialize } = coordinatorService.Join;
const service = {
  ...coordinatorService,
  Join: {
    ...coordinatorService.Join,
    responseSerialize: (said: CoordinatorMessage | Buffer) => (Buffer.isBuffer(said) ? said : responseSerialize(said)),
  },
};

/** What the coordinator's program does with what arrives. */
export interface CoordinatorHandlers {
  /** A worker has said who it is. */
  joined(hello: Hello, channel: Channel<FromCoordinator, FromWorker>): void;
  /** The content with this digest, in chunks; undefined if there is none. */
  readBlob(sha256: string): AsyncIterable<Uint8Array> | undefined;
}

/** With what the coordinator shows who it is, and whom it lets in. */
export interface CoordinatorSecurity {
  readonly identity: Identity;
  readonly onRefused: OnRefused;
  /** Absent where certificates come from elsewhere: then nobody can join with a token. */
  readonly keeper?: GateKeeper | undefined;
}

/** The `Coordinator` service: streams of workers, and blobs; beside it how it is, and what `lockstep doctor` asks. */
export class CoordinatorServer {
  private presence: Promise<Presence> | undefined;
  private host = '';
  private listener: SecureListener | undefined;
  private gate: GateServer | undefined;
  private readonly begins: BeginEncoder;
  private readonly server = new Server({
    'grpc.max_concurrent_streams': 10_000,
    'grpc.keepalive_time_ms': 10_000, //            a connection that is cut off without a word is noticed, too
    'grpc.keepalive_timeout_ms': 10_000,
  });

  constructor(
    private readonly runId: string,
    private readonly handlers: CoordinatorHandlers,
    private readonly security?: CoordinatorSecurity,
    private readonly doctor?: DoctorFacts,
  ) {
    this.begins = new BeginEncoder(runId);
  }

  /** @returns the port that it has @throws LockstepError as `listen` does */
  start(at: HostPort): Promise<number> {
    const handlers: UntypedServiceImplementation = {
      Join: (call: JoinCall) => this.onJoin(call),
      FetchBlob: (call: BlobCall) => void this.onFetchBlob(call),
    };
    this.server.addService(service, handlers);
    if (this.doctor) addDoctor(this.server, this.runId, this.doctor);
    this.host = at.host;
    if (!this.security) return listen(this.server, at, '--port');
    return this.listenSecurely(at, this.security);
  }

  /** Says to the health service whether workers are served. It is there from the first time on. */
  async serving(isServing: boolean): Promise<void> {
    // Loaded when workers can come already: it takes a tenth of a second, and nobody waits for it.
    this.presence ??= import('./presence.js').then(({ Presence }) => {
      // What a server has is told to those who may use it: whoever is on this machine, or has shown a certificate.
      return new Presence(this.server, { isReflected: this.security !== undefined || isLoopback(this.host) });
    });
    (await this.presence).serving(isServing);
  }

  /** Lets what was sent leave. @returns when all streams have ended, at the latest after `limitMs`: a peer may be stopped */
  async stop(clock: Clock, limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(limitMs, resolve);
      this.listener?.stop();
      this.server.tryShutdown(() => {
        cancel();
        resolve();
      });
    });
  }

  /** At once. */
  kill(): void {
    this.listener?.kill();
    this.gate?.stop();
    this.server.forceShutdown();
  }

  private listenSecurely(at: HostPort, { identity, onRefused, keeper }: CoordinatorSecurity): Promise<number> {
    if (keeper) this.server.addService(gateService, { Enrol: renewal(keeper) });
    // TLS was spoken before the connection comes here.
    const inside = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    const gate = (this.gate = new GateServer(keeper, onRefused));
    this.listener = new SecureListener({
      identity,
      admits: ['worker'],
      onRefused,
      admitted: (socket) => inside.injectConnection(socket),
      stranger: (socket, reason) => gate.take(socket, reason),
    });
    return this.listener.start(at, '--port');
  }

  private onJoin(call: JoinCall): void {
    call.once('data', (first: WorkerMessage__Output) => {
      const hello = decodeFromWorker('', first);
      if (hello?.kind !== 'hello')
        return void call.emit('error', { code: status.INVALID_ARGUMENT, details: 'a Hello comes first' });
      this.handlers.joined(hello, new WorkerChannel(this.runId, hello.workerId, call, this.begins));
    });
    call.on('error', () => undefined); //            told by 'cancelled' or 'end' to whoever listens to the channel
  }

  private async onFetchBlob(call: BlobCall): Promise<void> {
    const { sha256 } = call.request;
    const content = this.handlers.readBlob(sha256);
    if (!content) return void call.emit('error', { code: status.NOT_FOUND, details: `no blob ${sha256} in this run` });
    let isGone = false;
    call.on('cancelled', () => (isGone = true));
    try {
      for await (const data of content) {
        if (isGone) return;
        if (!call.write({ data }))
          await new Promise((resolve) => call.once('drain', resolve).once('cancelled', resolve));
      }
      call.end();
    } catch (error) {
      call.emit('error', {
        code: status.DATA_LOSS,
        details: `cannot read blob ${sha256}: ${(error as Error).message}`,
      });
    }
  }
}

/** The coordinator's end of one worker's stream. */
class WorkerChannel implements Channel<FromCoordinator, FromWorker> {
  private isClosed = false;
  /** The last one on this stream. */
  private begin: Begin | undefined;

  constructor(
    private readonly runId: string,
    private readonly workerId: string,
    private readonly call: JoinCall,
    private readonly begins: BeginEncoder,
  ) {}

  send(message: FromCoordinator): void {
    if (this.isClosed) return;
    if (message.kind !== 'begin') return void this.call.write(encodeFromCoordinator(this.runId, message));
    this.call.write(this.begins.encode(message, this.begin));
    this.begin = message;
  }

  listen(listener: ChannelListener<FromWorker>): void {
    this.call.on('data', (wire: WorkerMessage__Output) => {
      const runId = runIdOf(wire);
      const message = decodeFromWorker(this.workerId, wire);
      if (message && (runId === undefined || runId === this.runId)) listener.message(message);
    });
    const closed = (reason: string) => (): void => {
      if (this.isClosed) return;
      this.isClosed = true;
      this.call.end();
      listener.closed(reason);
    };
    this.call.on('end', closed('it closed its connection'));
    this.call.on('cancelled', closed('its connection broke'));
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.call.end();
  }
}
