import { status, type ChannelOptions, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import type { Begin } from '../../cluster/messages.js';
import type { Channel, ChannelListener, FromCoordinator, FromWorker } from '../../cluster/session.js';
import type { Clock } from '../../core/clock.js';
import type { Identity } from '../../security/identity.js';
import { decodeChange } from './begin-codec.js';
import { channelOptions, reasonOf } from './channels.js';
import { CoordinatorClient as Client } from './definitions.js';
import { fault as refused } from '../../security/faults.js';
import { fault } from '../faults.js';
import type { BlobChunk__Output } from './generated/lockstep/v1/BlobChunk.js';
import type { CoordinatorClient as GrpcClient } from './generated/lockstep/v1/Coordinator.js';
import type { CoordinatorMessage__Output } from './generated/lockstep/v1/CoordinatorMessage.js';
import type { WorkerMessage } from './generated/lockstep/v1/WorkerMessage.js';
import { channelSecurity } from './secure-client.js';
import { decodeFromCoordinator, encodeFromWorker } from './wire.js';

/** How long one attempt to connect may take before the user is told that we go on trying. */
const firstAttemptMs = 1_000;

/**
 * Each stream has a connection of its own, so that a new attempt is one: a shared one keeps to its own pauses. A coordinator
 * that is stopped, or cut off without a word, is noticed by pings that it does not answer.
 */
const streamOptions: ChannelOptions = {
  ...channelOptions,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
};

/** A worker's connection to its coordinator. */
export class CoordinatorConnection {
  private readonly client: GrpcClient;

  constructor(
    private readonly address: string,
    private readonly clock: Clock,
    identity: Identity | undefined,
  ) {
    this.client = clientFor(address, identity, channelOptions);
  }

  /**
   * Waits until the coordinator can be reached.
   *
   * @param onWaiting - called once, when it cannot at first
   * @throws LockstepError `COORDINATOR_UNREACHABLE` after `timeoutSeconds`
   */
  async reach(timeoutSeconds: number, onWaiting: () => void): Promise<void> {
    const timeoutMs = timeoutSeconds * 1000;
    const reason = 'nothing accepts connections there';
    const timers: (() => void)[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const giveUp = () =>
          reject(fault('COORDINATOR_UNREACHABLE', { address: this.address, seconds: timeoutSeconds, reason }));
        timers.push(
          this.clock.setTimer(Math.min(firstAttemptMs, timeoutMs / 2), onWaiting),
          this.clock.setTimer(timeoutMs, giveUp),
        );
        this.client.waitForReady(Infinity, (error) => (error ? reject(error) : resolve())); // our clock sets the limit
      });
    } finally {
      for (const cancel of timers) cancel();
    }
  }

  /** The chunks of a blob. @throws LockstepError `BLOB_UNAVAILABLE` */
  async *fetchBlob(sha256: string): AsyncIterable<Uint8Array> {
    try {
      for await (const { data } of this.client.fetchBlob({ sha256 }) as AsyncIterable<BlobChunk__Output>) yield data;
    } catch (error) {
      throw fault('BLOB_UNAVAILABLE', { sha256, reason: reasonOf(error) }, error);
    }
  }

  close(): void {
    this.client.close();
  }
}

/** Opens a worker's stream to the coordinator there; the caller says Hello on it first. */
export function openStream(address: string, identity: Identity | undefined): Channel<FromWorker, FromCoordinator> {
  return new CoordinatorChannel(clientFor(address, identity, streamOptions), address);
}

function clientFor(address: string, identity: Identity | undefined, options: ChannelOptions): GrpcClient {
  const { channelCredentials, securityOptions } = channelSecurity(identity, 'coordinator');
  return new Client(address, channelCredentials, { ...options, ...securityOptions });
}

/** The worker's end of its stream. */
class CoordinatorChannel implements Channel<FromWorker, FromCoordinator> {
  private runId = '';
  /** The last one on this stream. */
  private begin: Begin | undefined;
  private isClosed = false;

  private readonly call: ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;

  constructor(
    private readonly client: GrpcClient,
    private readonly address: string,
  ) {
    this.call = client.join();
  }

  send(message: FromWorker): void {
    if (!this.isClosed) this.call.write(encodeFromWorker(this.runId, message));
  }

  listen(listener: ChannelListener<FromCoordinator>): void {
    this.call.on('data', (wire: CoordinatorMessage__Output) => {
      const message = wire.change ? decodeChange(this.begin, wire.change) : decodeFromCoordinator(wire);
      if (message?.kind === 'welcome') this.runId = message.runId;
      if (message?.kind === 'begin') this.begin = message;
      if (message) listener.message(message);
    });
    const closed = (reason: string): void => {
      if (this.isClosed) return;
      this.isClosed = true;
      this.client.close();
      listener.closed(reason);
    };
    this.call.on('error', (error: ServiceError) => {
      // The gate has refused us: to ask again would change nothing.
      if (error.code === status.UNAUTHENTICATED) listener.message(this.refusal(error.details));
      closed(error.code === status.UNAVAILABLE ? 'its connection broke' : reasonOf(error));
    });
    this.call.on('end', () => closed('it closed the connection'));
  }

  private refusal(reason: string): FromCoordinator {
    const { code, message, remedy, exitCode } = refused('NOT_ADMITTED', { address: this.address, reason });
    return { kind: 'refused', code, message, remedy, exitCode };
  }

  close(): void {
    this.isClosed = true;
    this.call.end();
    this.client.close(); //                                         what was sent still leaves
  }
}
