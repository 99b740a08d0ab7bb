import type { Clock } from '../../core/clock.js';
import type { Generation } from '../../cluster/messages.js';
import type { Identity, Role } from '../../security/identity.js';
import { exchangeProtoService } from './definitions.js';
import type { PullStateRequest } from './generated/lockstep/v1/PullStateRequest.js';
import type { StateRequest, StateSnapshot } from './exchange-server.js';
import { peerSocketPath } from './host-socket.js';
import { PullStream, type PullEvents } from './pull-stream.js';
import { lendConnection, type LendEvents } from './lent-connection.js';
import { connectSecurely } from './secure-client.js';
import { callState, type StateTarget } from './state-call.js';
import { GatheredState, receiveState, type StateSink, type StateSource } from './state-stream.js';

/** A client of other workers' `Exchange` services, with a connection for each call. */
export class ExchangeClients {
  private readonly closing = new AbortController();
  /** Where the coordinator has a hub, whose certificate names another role than a worker's. */
  hub: string | undefined;

  /** @param identity - absent where the network is trusted: plain text */
  constructor(
    private readonly runId: string,
    private readonly clock: Clock,
    private readonly identity?: Identity,
  ) {}

  /** Opens the stream on which the frames of the peer at `address` come. @param rank - our own */
  pull(address: string, { term, number }: Generation, rank: number, events: PullEvents): PullStream {
    const { path, requestSerialize } = exchangeProtoService.Pull;
    const request = requestSerialize({ runId: this.runId, term, generation: number, rank });
    return new PullStream({ ...this.targetAt(address), path, request }, events);
  }

  /** Lends a connection to the hub. @param ownAddress - under which the run knows us @returns takes it back */
  lend(hubAddress: string, ownAddress: string, events: LendEvents): () => void {
    const { runId, identity } = this;
    const connect = identity && (() => connectSecurely(identity, hubAddress, 'coordinator'));
    return lendConnection({ hubAddress, runId, ownAddress, connect }, events);
  }

  /** @throws LockstepError `STATE_UNAVAILABLE` */
  async pullState(
    address: string,
    generation: Generation,
    request: StateRequest,
    signal?: AbortSignal,
  ): Promise<StateSnapshot> {
    const gathered = new GatheredState();
    return gathered.snapshot(await this.pullStateInto(address, generation, request, gathered, signal));
  }

  /** The same to where it belongs. @returns everything of the state but the vectors */
  async pullStateInto(
    address: string,
    generation: Generation,
    request: StateRequest,
    sink: StateSink,
    signal?: AbortSignal,
  ): Promise<string> {
    const asked = stateRequestOf(this.runId, generation, request);
    const call: StateSource['call'] = (take, end) => callState(this.targetAt(address), asked, take, this.clock, end);
    const wanted = signal ? AbortSignal.any([signal, this.closing.signal]) : this.closing.signal;
    return receiveState({ address, call }, request, sink, this.clock, wanted);
  }

  /** Ends the calls for states. */
  close(): void {
    this.closing.abort();
  }

  private targetAt(address: string): StateTarget {
    const { identity } = this;
    const connect = identity && (() => connectSecurely(identity, address, this.roleAt(address)));
    return { address, socketPath: peerSocketPath(this.runId, address), connect };
  }

  private roleAt(address: string): Role {
    return address === this.hub ? 'coordinator' : 'worker';
  }
}

/** As it travels. */
export function stateRequestOf(
  runId: string,
  { term, number }: Generation,
  { what, step, write }: StateRequest,
): PullStateRequest {
  const named = ({ training: 'TRAINING', best: 'BEST', checkpoint: 'CHECKPOINT' } as const)[what];
  const writing = write ? { write: true, seconds: write.seconds } : {};
  return { runId, term, generation: number, what: named, step, ...writing };
}
