import { Server, status, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { HostPort } from '../../core/address.js';
import { lockstepErrorIn } from '../../core/errors.js';
import { compareGenerations, describeGeneration, noGeneration, type Generation } from '../../cluster/messages.js';
import { listen } from './channels.js';
import { exchangeService } from './definitions.js';
import type { PullStateRequest__Output } from './generated/lockstep/v1/PullStateRequest.js';
import type { StateChunk } from './generated/lockstep/v1/StateChunk.js';
import type { GrpcLink } from './grpc-link.js';
import type { PullCall } from './outlet.js';

const stateChunkBytes = 1024 * 1024;

/** A state as it travels: vectors, and everything else as JSON. */
export interface StateSnapshot {
  readonly description: string;
  readonly vectors: readonly { readonly name: string; readonly values: Float32Array }[];
}

export interface StateRequest {
  readonly what: 'training' | 'best' | 'checkpoint';
  readonly step: number;
}

const whatOf = { TRAINING: 'training', BEST: 'best', CHECKPOINT: 'checkpoint' } as const;

/** One worker's `Exchange` service: peers pull frames and states from it. */
export class ExchangeServer {
  private readonly server = new Server({ 'grpc.max_concurrent_streams': 10_000 });
  private current: { readonly generation: Generation; readonly link: GrpcLink } | undefined;
  /** The newest generation that was sealed or begun here: older streams are refused. */
  private newest: Generation = noGeneration;
  /** Streams of peers that learned of the next generation before we did. */
  private readonly early: PullCall[] = [];

  /** @param readState - the state that a request names, or the reason why it is not here */
  constructor(
    private readonly runId: string,
    private readonly readState: (request: StateRequest) => StateSnapshot | string,
  ) {}

  /**
   * @param isPortChosen - if not, any free port will do where this one is taken
   * @returns the port that it has @throws LockstepError as `listen` does
   */
  async start(at: HostPort, isPortChosen: boolean): Promise<number> {
    const handlers: UntypedServiceImplementation = {
      Pull: (call: PullCall) => this.onPull(call),
      PullState: (call: ServerWritableStream<PullStateRequest__Output, StateChunk>) => void this.onPullState(call),
    };
    this.server.addService(exchangeService, handlers);
    try {
      return await listen(this.server, at, '--exchange-port');
    } catch (error) {
      if (isPortChosen || lockstepErrorIn(error)?.code !== 'PORT_IN_USE') throw error;
      return listen(this.server, { ...at, port: 0 }, '--exchange-port');
    }
  }

  /** From now on peers of this generation get what `link` sends. */
  begin(generation: Generation, link: GrpcLink): void {
    this.newest = generation;
    this.current = { generation, link };
    for (const call of this.early.splice(0)) this.onPull(call);
  }

  stop(): void {
    this.server.forceShutdown();
  }

  private onPull(call: PullCall): void {
    const { runId, term, generation: number, rank } = call.request;
    const asked = { term, number };
    const refuse = (details: string) => call.emit('error', { code: status.FAILED_PRECONDITION, details });
    if (runId !== this.runId) return void refuse(`STALE_RUN: this is run ${this.runId}, not ${runId}`);
    const age = compareGenerations(asked, this.newest);
    if (age < 0) return void refuse(`STALE_GENERATION: ${describeGeneration(asked)} is over`);
    if (age > 0 || !this.current) return void this.early.push(call);
    const outlet = this.current.link.outlets[rank];
    if (!outlet || rank === this.current.link.rank)
      return void refuse(`no rank ${rank} in generation ${describeGeneration(asked)}`);
    outlet.attach(call);
  }

  private async onPullState(call: ServerWritableStream<PullStateRequest__Output, StateChunk>): Promise<void> {
    const { runId, what, step } = call.request;
    const request: StateRequest = { what: whatOf[what], step };
    const state = runId === this.runId ? this.readState(request) : `this is run ${this.runId}, not ${runId}`;
    if (typeof state === 'string') return void call.emit('error', { code: status.NOT_FOUND, details: state });
    let isGone = false;
    call.on('cancelled', () => (isGone = true));
    call.write({ description: state.description });
    for (const { name: vector, values } of state.vectors) {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      for (let offset = 0; offset < bytes.byteLength && !isGone; offset += stateChunkBytes) {
        const data = Buffer.from(bytes.subarray(offset, offset + stateChunkBytes)); // a copy: it may live in shared memory
        if (!call.write({ part: { vector, offset, data } }))
          await new Promise((resolve) => call.once('drain', resolve).once('cancelled', resolve));
      }
    }
    call.end();
  }
}
