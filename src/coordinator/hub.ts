import { AllReduce } from '../collective/all-reduce.js';
import { createCodec } from '../collective/codecs/registry.js';
import { Abandoned } from '../collective/faults.js';
import type { Round } from '../collective/frame.js';
import type { Link } from '../collective/link.js';
import { rangesByShare } from '../collective/ranges.js';
import { Workspace } from '../collective/workspace.js';
import { compareGenerations, type Begin, type Generation } from '../cluster/messages.js';
import type { HostPort } from '../core/address.js';
import { createArena } from '../core/arena.js';
import type { Clock } from '../core/clock.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { arenaVectors } from '../engine/arena-vectors.js';
import { fastestKernels } from '../engine/fastest-kernels.js';
import { stateRequestOf } from '../transport/grpc/exchange-client.js';
import {
  ExchangeServer,
  type ExchangeSecurity,
  type StateRequest,
  type StateSnapshot,
} from '../transport/grpc/exchange-server.js';
import { GrpcLink } from '../transport/grpc/grpc-link.js';
import { LentConnections } from '../transport/grpc/lent-connections.js';
import { lentPull } from '../transport/grpc/lent-pull.js';
import { callLentState } from '../transport/grpc/state-call.js';
import { GatheredState, receiveState, type StateSource } from '../transport/grpc/state-stream.js';

/** How long a member may do without its stream before it is lost: the coordinator's own heartbeats decide within 2 s. */
const peerGoneMs = 15_000;

export interface HubNeeds {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  readonly clock: Clock;
  readonly security?: ExchangeSecurity | undefined;
  /** A member's frames come no more, though its worker seems to be there. */
  lost(workerId: string, reason: string): void;
  /** A member sent what it should not: no sum can be made of it. */
  fail(error: Error): void;
}

/**
 * The middle of a star, for workers that can only dial out: it adds what they send and sends them the sum, and hands on states
 * from one to another. Members say by their headers which round is next; the hub asks nothing else of them. It lives and dies
 * with its coordinator, and holds nothing that a run needs: its successor begins a new generation.
 */
export class Hub {
  private readonly server: ExchangeServer;
  private readonly lent = new LentConnections();
  private readonly arena = createArena();
  private current: { readonly begin: Begin; readonly link: GrpcLink } | undefined;

  /** Where it listens. */
  port = 0;

  private constructor(private readonly needs: HubNeeds) {
    this.server = new ExchangeServer(needs.spec.runId, (request) => this.stateOfSomebody(request), needs.security);
    this.server.onLent = (address, connection) => this.lent.offer(address, connection);
  }

  /** @param isPortChosen - if not, any free port will do where this one is taken @throws LockstepError as `listenError` says */
  static async start(needs: HubNeeds, at: HostPort, isPortChosen: boolean): Promise<Hub> {
    const hub = new Hub(needs);
    hub.port = await hub.server.start(at, isPortChosen);
    return hub;
  }

  /** A generation begins, said once or again. */
  begin(begin: Begin): void {
    if (this.current && compareGenerations(begin.generation, this.current.begin.generation) <= 0) return;
    this.seal('a new generation begins');
    const { spec, clock } = this.needs;
    const { runId, checksum } = spec;
    const rank = begin.members.length;
    const link: GrpcLink = new GrpcLink(
      { rank, runId, begin, hub: 'the hub', checksum, clock },
      {
        peerGone: (peer, reason) => this.onPeerGone(link, begin.members[peer]!.workerId, reason),
        violated: (error) => this.needs.fail(error),
      },
    );
    this.current = { begin, link };
    this.server.begin(begin.generation, link);
    link.open((address, events) => lentPull(this.lent, { runId, address, generation: begin.generation, rank }, events));
    this.addRounds(begin, link).catch((error: Error) => this.needs.fail(error));
  }

  /** The generation that runs is over. */
  seal(reason: string): void {
    this.current?.link.close(reason);
  }

  /** As `ExchangeClients` does it, over a connection that the worker has lent. @throws LockstepError `STATE_UNAVAILABLE` */
  async pullState(
    address: string,
    generation: Generation,
    request: StateRequest,
    signal?: AbortSignal,
  ): Promise<StateSnapshot> {
    const asked = stateRequestOf(this.needs.spec.runId, generation, request);
    const { clock } = this.needs;
    const call: StateSource['call'] = (take, end) => callLentState(this.lent, address, asked, take, clock, end);
    const gathered = new GatheredState();
    return gathered.snapshot(await receiveState({ address, call }, request, gathered, clock, signal));
  }

  close(): void {
    this.seal('the hub ends');
    this.lent.close();
    this.server.stop();
  }

  /** Whoever is behind cannot dial the donor: what it asks for is fetched here. */
  private async stateOfSomebody(request: StateRequest): Promise<StateSnapshot | string> {
    const begin = this.current?.begin;
    if (!begin) return 'no generation has begun';
    const donor = begin.members[begin.donor]!;
    let failure = '';
    for (const { address } of [donor, ...begin.members.filter((member) => member !== donor)]) {
      try {
        return await this.pullState(address, begin.generation, request);
      } catch (error) {
        failure ||= (error as Error).message; //                      the donor's says most
      }
    }
    return failure;
  }

  /** Gradients and evaluations are told apart by their headers. */
  private async addRounds({ shares }: Begin, link: GrpcLink): Promise<void> {
    const vectors = arenaVectors(this.arena, await fastestKernels(this.arena));
    const { spec, layout, clock } = this.needs;
    const { parameterCount, extraCount } = layout;
    const codec = createCodec(spec.codec, spec.seed, new Workspace(vectors));
    const workspace = new Workspace(vectors);
    const made = new Map<Round['purpose'], { readonly all: AllReduce; readonly sum: Float32Array }>();
    const reductionFor = (purpose: Round['purpose'], length: number) => {
      const known = made.get(purpose);
      if (known) return known;
      const isGradient = purpose === 'gradient';
      const options = { topology: 'star', length, exactTail: isGradient ? length - parameterCount : length } as const;
      const needs = {
        link: link as Link,
        workspace,
        nowMs: () => clock.nowMs(),
        codec: isGradient ? codec : undefined,
      };
      const reduction = { all: new AllReduce(needs, options), sum: vectors.allocate(length) };
      made.set(purpose, reduction);
      return reduction;
    };
    try {
      for (;;) {
        const { round, count, length } = await link.inbox.nextHeader();
        const { all, sum } = reductionFor(round.purpose, length);
        await all.open({ round, ranges: rangesByShare(count, shares), count, sum }).finish();
        // Members skip such a step, and what their codecs kept of it.
        if (codec && !sum.subarray(0, parameterCount + extraCount).every(Number.isFinite)) all.forget();
      }
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
    }
  }

  private onPeerGone(link: GrpcLink, workerId: string, reason: string): void {
    this.needs.clock.setTimer(peerGoneMs, () => {
      if (!link.isClosed) this.needs.lost(workerId, reason);
    });
  }
}
