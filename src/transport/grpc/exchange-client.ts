import { makeClientConstructor } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { Generation } from '../../cluster/messages.js';
import type { Credentials, Identity, Role } from '../../security/identity.js';
import { channelOptions } from './channels.js';
import { exchangeProtoService } from './definitions.js';
import type { ExchangeClient } from './generated/lockstep/v1/Exchange.js';
import type { PullStateRequest } from './generated/lockstep/v1/PullStateRequest.js';
import type { StateChunk__Output } from './generated/lockstep/v1/StateChunk.js';
import type { StateRequest, StateSnapshot } from './exchange-server.js';
import { peerSocketPath } from './host-socket.js';
import { PullStream, type PullEvents } from './pull-stream.js';
import { lendConnection, type LendEvents } from './lent-connection.js';
import { channelSecurity, connectSecurely } from './secure-client.js';
import { receiveState } from './state-stream.js';

const Client = makeClientConstructor(exchangeProtoService, 'lockstep.v1.Exchange');

/** Connections to other workers' `Exchange` services, one an address, kept from generation to generation. */
export class ExchangeClients {
  private readonly clients = new Map<string, ExchangeClient>();
  /** With which the clients were made: after a renewal they are made anew. */
  private usedCredentials: Credentials | undefined;
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
    const { identity } = this;
    const connect = identity && (() => connectSecurely(identity, address, this.roleAt(address)));
    return new PullStream({ address, socketPath: peerSocketPath(this.runId, address), connect, path, request }, events);
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
    { term, number }: Generation,
    request: StateRequest,
    signal?: AbortSignal,
  ): Promise<StateSnapshot> {
    const open = (end: AbortSignal): AsyncIterable<StateChunk__Output> => {
      const call = this.clientOf(address).pullState(stateRequestOf(this.runId, { term, number }, request));
      end.addEventListener('abort', () => call.cancel());
      return call as AsyncIterable<StateChunk__Output>;
    };
    return receiveState({ address, open }, request, this.clock, signal);
  }

  /** Gives up connections to everybody else. */
  keepOnly(addresses: readonly string[]): void {
    for (const [address, client] of this.clients) {
      if (addresses.includes(address)) continue;
      client.close();
      this.clients.delete(address);
    }
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  private roleAt(address: string): Role {
    return address === this.hub ? 'coordinator' : 'worker';
  }

  private clientOf(address: string): ExchangeClient {
    const credentials = this.identity?.current();
    if (credentials !== this.usedCredentials) this.keepOnly([]);
    this.usedCredentials = credentials;
    let client = this.clients.get(address);
    if (!client) {
      const { channelCredentials, securityOptions } = channelSecurity(this.identity, this.roleAt(address));
      const options = { ...channelOptions, ...securityOptions };
      client = new Client(address, channelCredentials, options) as unknown as ExchangeClient;
      this.clients.set(address, client);
    }
    return client;
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
