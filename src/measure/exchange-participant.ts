import { AllReduce } from '../collective/all-reduce.js';
import type { Topology } from '../collective/owner-map.js';
import { createCodec } from '../collective/codecs/registry.js';
import { equalRanges } from '../collective/ranges.js';
import type { ExchangeFacts } from '../collective/round-plan.js';
import { chooseTopology } from '../collective/topology.js';
import { Workspace } from '../collective/workspace.js';
import type { Begin } from '../cluster/messages.js';
import { formatHostPort, type HostPort } from '../core/address.js';
import { createArena } from '../core/arena.js';
import type { Clock } from '../core/clock.js';
import type { LossyCodec } from '../core/run-spec.js';
import { arenaVectors } from '../engine/arena-vectors.js';
import { fastestKernels } from '../engine/fastest-kernels.js';
import { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { ExchangeServer, type ExchangeSecurity } from '../transport/grpc/exchange-server.js';
import { GrpcLink } from '../transport/grpc/grpc-link.js';
import { tmpfsFolder } from '../transport/grpc/slot-file.js';
import { BusyThread } from './busy-thread.js';
import { PlainTcp } from './plain-tcp.js';

/** All participants of one measurement say the same. */
const runId = 'bench-exchange';

/** What the link between the participants is like. */
export interface ExchangeManner {
  /** Whether frames are protected with a CRC32. */
  readonly checksum: boolean;
  /** Whether payloads pass through memory within a host. */
  readonly memory: boolean;
}

/** What is measured: the same on all participants. */
export interface ExchangeTask {
  /** Elements of the vector. */
  readonly floats: number;
  readonly topology: Topology | 'auto';
  /** Absent: float32 travels as it is. */
  readonly codec?: LossyCodec | undefined;
  /** Timed calls, after those that warm up. */
  readonly calls: number;
  readonly warmUpCalls: number;
  /** What a thread beside computes before each call, as an engine does: of time in which it has a core. Absent: nothing. */
  readonly computeMs?: number | undefined;
  /** `all-reduce`: ours. `tcp`: the bytes that a mesh moves, over plain sockets between the same processes. */
  readonly what: 'all-reduce' | 'tcp';
}

/** What one participant found. */
export interface ExchangeTimes {
  /** Of each timed call. */
  readonly milliseconds: readonly number[];
  /** User and system time of this process during the timed calls. */
  readonly cpuSeconds: number;
  /** Bytes of frames, during the timed calls. */
  readonly sentBytes: number;
}

/** One rank of a measured exchange: everything that a worker has for it, and no training. */
export class ExchangeParticipant {
  private readonly arena = createArena();
  private readonly clients: ExchangeClients;
  private readonly server: ExchangeServer;
  private readonly tcp = new PlainTcp();
  private link: GrpcLink | undefined;
  private workspace: Workspace | undefined;
  private residuals: Workspace | undefined;
  private step = 0;

  /** @param network - for participants that shall meet at their addresses although they are on one host, with TLS or without */
  constructor(
    private readonly clock: Clock,
    private readonly network?: { readonly security?: ExchangeSecurity | undefined },
  ) {
    this.server = new ExchangeServer(runId, () => 'no state here', network?.security);
    this.clients = new ExchangeClients(runId, clock, network?.security?.identity);
  }

  /** Where others reach the participant that listens at a given port. */
  static addressesAt({ host, port }: HostPort): ParticipantAddresses {
    return { exchange: formatHostPort({ host, port }), plain: formatHostPort({ host, port: port + 1 }) };
  }

  /** @param listen - with port 0 any free ones will do @returns where others reach this one */
  async start(listen: HostPort): Promise<ParticipantAddresses> {
    const vectors = arenaVectors(this.arena, await fastestKernels(this.arena));
    this.workspace = new Workspace(vectors);
    this.residuals = new Workspace(vectors);
    const { host } = listen;
    const port = await this.server.start(listen, true);
    if (!this.network) await this.server.startForHost(formatHostPort({ host, port }));
    const plainPort = await this.tcp.listen({ host, port: listen.port === 0 ? 0 : listen.port + 1 });
    return { exchange: formatHostPort({ host, port }), plain: formatHostPort({ host, port: plainPort }) };
  }

  /** @param members - of all ranks @param fail - called when the exchange cannot go on */
  async connect(
    rank: number,
    members: readonly ParticipantAddresses[],
    { checksum, memory }: ExchangeManner,
    fail: (error: Error) => void,
  ): Promise<void> {
    const generation = { term: 1, number: 1 };
    const begin: Begin = {
      kind: 'begin',
      generation,
      members: members.map(({ exchange }, i) => ({ workerId: `rank-${i}`, address: exchange })),
      shares: members.map(() => 1),
      donor: 0,
      afterStep: 0,
      lastStep: 0,
    };
    await this.tcp.connect(
      rank,
      members.map(({ plain }) => plain),
      this.clock,
    ); //                                                            whoever answers there has its exchange up, too
    const link = (this.link = new GrpcLink(
      { rank, runId, begin, checksum, clock: this.clock, memoryFolder: memory ? tmpfsFolder : undefined },
      { peerGone: (peer, reason) => fail(new Error(`rank ${peer} is gone: ${reason}`)), violated: fail },
    ));
    this.server.begin(generation, link);
    link.open((address, events) => this.clients.pull(address, generation, rank, events));
  }

  async measure(task: ExchangeTask): Promise<ExchangeTimes> {
    if (task.computeMs !== undefined) this.busy ??= await BusyThread.start();
    const call = task.what === 'tcp' ? this.tcpCall(task) : this.allReduceCall(task);
    const milliseconds: number[] = [];
    let cpuBegin = process.cpuUsage();
    let sentBegin = this.link!.sentBytes;
    for (let i = 0; i < task.warmUpCalls + task.calls; i++) {
      if (i === task.warmUpCalls) {
        cpuBegin = process.cpuUsage();
        sentBegin = this.link!.sentBytes;
      }
      this.own?.fill(1); //                                         what a codec encodes it rounds in place
      const beginMs = this.clock.nowMs();
      await call();
      if (i >= task.warmUpCalls) milliseconds.push(this.clock.nowMs() - beginMs);
    }
    const { user, system } = process.cpuUsage(cpuBegin);
    return { milliseconds, cpuSeconds: (user + system) / 1e6, sentBytes: this.link!.sentBytes - sentBegin };
  }

  stop(): void {
    this.link?.close('the measurement is over');
    this.clients.close();
    this.server.stop();
    this.tcp.stop();
    void this.busy?.stop();
  }

  /** Values that the next call sends. */
  private own: Float32Array | undefined;
  private readonly vectors = new Map<number, { readonly sum: Float32Array; readonly values: Float32Array }>();

  private busy: BusyThread | undefined;

  private allReduceCall({
    floats,
    topology: wanted,
    codec: codecSpec,
    computeMs,
  }: ExchangeTask): () => Promise<ExchangeFacts> {
    const link = this.link!;
    const { rank, worldSize } = link;
    const topology = chooseTopology(wanted, floats, worldSize);
    const needs = { link, workspace: this.workspace!, nowMs: () => this.clock.nowMs() };
    const codec = createCodec(codecSpec, 1, this.residuals);
    const allReduce = new AllReduce({ ...needs, codec }, { topology, length: floats, exactTail: 0 });
    let vectors = this.vectors.get(floats);
    if (!vectors) {
      vectors = { sum: this.arena.float32(floats), values: this.arena.float32(floats).fill(1) };
      this.vectors.set(floats, vectors);
    }
    const { sum, values } = vectors;
    this.own = codec && values;
    const ranges = equalRanges(worldSize, worldSize);
    return async () => {
      const round = { generation: 1, step: ++this.step, purpose: 'gradient' } as const;
      const reduction = allReduce.open({ round, ranges, count: worldSize, sum, headerWaits: computeMs !== undefined });
      if (computeMs !== undefined) await this.busy!.compute(computeMs);
      reduction.add({ first: rank, end: rank + 1, values });
      const facts = await reduction.finish();
      if (!codec && sum[floats - 1] !== worldSize)
        throw new Error(`the sum of ${worldSize} ones is ${sum[floats - 1]}`);
      return facts;
    };
  }

  private tcpCall({ floats }: ExchangeTask): () => Promise<void> {
    const { worldSize } = this.link!;
    return () => this.tcp.exchange(Math.ceil((2 * floats * 4) / worldSize));
  }
}

/** `host:port` of what a participant listens on: our exchange, and plain sockets on the port behind it. */
export interface ParticipantAddresses {
  readonly exchange: string;
  readonly plain: string;
}
