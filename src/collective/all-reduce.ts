import type { Frame, FrameKind, Round } from './frame.js';
import type { Link } from './link.js';
import type { OwnerMap, Slice } from './owner-map.js';
import type { Range } from './ranges.js';
import { coveringNodes, TreeSum, type TreeSpan } from './tree.js';

/** Large enough that a frame's fixed costs vanish, far below gRPC's 4 MiB. */
const chunkBytes = 512 * 1024;

/** A partial sum of the canonical tree: the sums of micro-batches `first..end-1`. */
export interface NodeSum extends TreeSpan {
  /** float32[length]. */
  readonly values: Float32Array;
}

/** Seconds in which a round waited, by the clock that was handed in. */
export interface ExchangeSeconds {
  /** From own nodes ready until the last peer's have arrived. */
  readonly wait: number;
  /** From then on until the whole sum is there. */
  readonly exchange: number;
  /** Of the peer whose last node came last; -1 when no peer had nodes for this rank. */
  readonly slowestRank: number;
}

/** What is under way between `open` and `reduce`. */
interface OpenRound {
  readonly round: Round;
  readonly count: number;
  readonly sum: Float32Array;
  /** Of each slice that this rank owns: what comes from each peer, in one buffer a peer. */
  readonly arriving: readonly { readonly slice: Slice; readonly from: readonly ArrivingNodes[] }[];
  readonly nodesArrived: Promise<unknown>;
  /** Ranks, in the order in which their nodes were complete. */
  readonly arrivals: number[];
  readonly sumsArrived: Promise<unknown>;
}

interface ArrivingNodes {
  readonly rank: number;
  readonly spans: readonly TreeSpan[];
  /** float32[spans.length * slice length], node after node. */
  readonly values: Float32Array;
}

/**
 * Sums a flat float32 vector over all micro-batches of a round, with the bits of the canonical tree, at any world size.
 *
 * Each rank sends the nodes that cover its range to the slices' owners; an owner adds them in tree order; the first
 * owner of a slice sends the sum to everybody who does not own it. Legend: N ranks, L elements, M micro-batches.
 */
export class AllReduce {
  private readonly buffers = new Map<string, Float32Array>();

  /** @param nowMs - monotonic milliseconds, only to report where time went */
  constructor(
    private readonly link: Link,
    private readonly owners: OwnerMap,
    private readonly nowMs: () => number,
  ) {}

  /**
   * Opens a round: sends a header to every peer and says where everything that will arrive belongs.
   *
   * @param ranges - of each rank, together 0..count-1
   * @param count - M, micro-batches of the round
   * @param sum - float32[L]; complete when `reduce` resolves, undefined after an error
   */
  open(round: Round, ranges: readonly Range[], count: number, sum: Float32Array): OpenRound {
    const { rank: me, inbox } = this.link;
    inbox.openRound(round);
    const peers = this.peers();
    const headers = peers.map((peer) => inbox.expect(peer, round, 'header', 0, new Uint8Array(0)));
    const owned = this.owners
      .map((slice, index) => ({ slice, index }))
      .filter(({ slice }) => slice.owners.includes(me));
    const arriving = owned.map(({ slice, index }) => ({
      slice,
      index,
      from: peers.map((rank) => {
        const spans = coveringNodes(ranges[rank]!, count);
        return { rank, spans, values: this.buffer(`${index}/${rank}`, spans.length * lengthOf(slice)) };
      }),
    }));
    const arrivals: number[] = [];
    const nodes = arriving.flatMap(({ index, from }) =>
      from
        .filter(({ values }) => values.length > 0)
        .map(({ rank, values }) =>
          inbox.expect(rank, round, 'nodes', index, bytesOf(values)).then(() => void arrivals.push(rank)),
        ),
    );
    const sums = this.owners.flatMap((slice, index) =>
      slice.owners.includes(me)
        ? []
        : inbox.expect(slice.owners[0]!, round, 'sum', index, bytesOf(sum.subarray(slice.begin, slice.end))),
    );
    for (const peer of peers) void this.send(peer, round, 'header', 0, new Uint8Array(0)).catch(() => undefined);
    const nodesArrived = Promise.all([...headers, ...nodes]);
    const sumsArrived = Promise.all(sums);
    for (const promise of [nodesArrived, sumsArrived]) promise.catch(() => undefined); // awaited in `reduce`, if it comes to that
    return { round, count, sum, arriving, nodesArrived, arrivals, sumsArrived };
  }

  /**
   * Completes a round: afterwards `sum` holds the sum over all ranks, the same bits on every rank.
   *
   * @param mine - this rank's `coveringNodes`, ascending; their values are used up
   * @throws Abandoned when the generation is sealed meanwhile
   */
  async reduce(open: OpenRound, mine: readonly NodeSum[]): Promise<ExchangeSeconds> {
    const { round, sum } = open;
    const readyMs = this.nowMs();
    const sending = Promise.all(this.peers().map((peer) => this.sendNodes(peer, round, mine)));
    await Promise.all([sending, open.nodesArrived]);
    const arrivedMs = this.nowMs();
    for (const { slice, from } of open.arriving) addInTreeOrder(slice, open.count, mine, from, this.link.rank, sum);
    await Promise.all([this.sendSums(round, sum), open.sumsArrived]);
    const slowestRank = open.arrivals.at(-1) ?? -1;
    return { wait: (arrivedMs - readyMs) / 1000, exchange: (this.nowMs() - arrivedMs) / 1000, slowestRank };
  }

  private async sendNodes(peer: number, round: Round, mine: readonly NodeSum[]): Promise<void> {
    for (const [index, slice] of this.owners.entries()) {
      if (!slice.owners.includes(peer) || lengthOf(slice) === 0) continue;
      for (const [i, { values }] of mine.entries()) {
        await this.send(
          peer,
          round,
          'nodes',
          index,
          bytesOf(values.subarray(slice.begin, slice.end)),
          i * lengthOf(slice),
        );
      }
    }
  }

  private async sendSums(round: Round, sum: Float32Array): Promise<void> {
    const toSend = [...this.owners.entries()].filter(
      ([, slice]) => slice.owners[0] === this.link.rank && lengthOf(slice) > 0,
    );
    await Promise.all(
      this.peers().map(async (peer) => {
        for (const [index, slice] of toSend) {
          if (!slice.owners.includes(peer))
            await this.send(peer, round, 'sum', index, bytesOf(sum.subarray(slice.begin, slice.end)));
        }
      }),
    );
  }

  /** Sends `bytes` in chunks; `firstOffset` counts floats. */
  private async send(
    to: number,
    round: Round,
    kind: FrameKind,
    slice: number,
    bytes: Uint8Array,
    firstOffset = 0,
  ): Promise<void> {
    for (let at = 0; at === 0 || at < bytes.byteLength; at += chunkBytes) {
      const frame: Frame = {
        kind,
        round,
        slice,
        offset: firstOffset + at / 4,
        payload: bytes.subarray(at, at + chunkBytes),
      };
      await this.link.send(to, frame);
    }
  }

  /** The other ranks, beginning with the next one, so that not everybody talks to rank 0 first. */
  private peers(): readonly number[] {
    const { rank, worldSize } = this.link;
    return Array.from({ length: worldSize - 1 }, (_, i) => (rank + 1 + i) % worldSize);
  }

  /** A buffer that is kept from round to round. */
  private buffer(key: string, length: number): Float32Array {
    let buffer = this.buffers.get(key);
    if (!buffer || buffer.length < length) this.buffers.set(key, (buffer = new Float32Array(length)));
    return buffer.subarray(0, length);
  }
}

/** The heart of it: whoever adds, adds these nodes in this order. */
function addInTreeOrder(
  slice: Slice,
  count: number,
  mine: readonly NodeSum[],
  from: readonly ArrivingNodes[],
  me: number,
  sum: Float32Array,
): void {
  const length = lengthOf(slice);
  if (length === 0) return;
  const tree = new TreeSum<Float32Array>(count, addInto);
  const ranks = [...from.map(({ rank }) => rank), me].sort((a, b) => a - b); // ranges ascend with the rank
  for (const rank of ranks) {
    if (rank === me) for (const node of mine) tree.push(node, node.values.subarray(slice.begin, slice.end));
    const { spans = [], values } = from.find((arriving) => arriving.rank === rank) ?? {};
    for (const [i, span] of spans.entries()) tree.push(span, values!.subarray(i * length, (i + 1) * length));
  }
  sum.set(tree.root(), slice.begin);
}

/** `left += right`, each element rounded to float32. */
function addInto(left: Float32Array, right: Float32Array): Float32Array {
  for (let i = 0; i < left.length; i++) left[i] = left[i]! + right[i]!;
  return left;
}

function lengthOf(slice: Slice): number {
  return slice.end - slice.begin;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
