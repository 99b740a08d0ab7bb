import { bytesOf } from './codec.js';
import { fault } from './faults.js';
import { fetchPayload, headerOf, writeHeader, type ArrivedFrame, type Frame, type RoundHeader } from './frame.js';
import type { Receiver } from './inbox.js';
import type { Slice } from './owner-map.js';
import type { ExchangeFacts, NodeSum, ReductionContext, RoundPlan } from './round-plan.js';
import { SliceSum } from './slice-sum.js';
import { coveringNodes, type TreeSpan } from './tree.js';

/**
 * One round under way, driven by what arrives: a slice is added as its nodes come, its sum is sent on as soon as it is
 * there, and nobody waits for other slices.
 */
export class Reduction implements Receiver {
  /** By index in the owner map: the sum that we make, or nothing yet of one that we are sent. */
  private readonly slices: readonly (SliceSum | undefined)[];
  private readonly isComplete: boolean[];
  private readonly headers = new Map<number, RoundHeader>();
  /** Own nodes that are to come. */
  private readonly missing: TreeSpan[];
  private added = 0;
  private incompleteSlices: number;
  private pendingSends = 0;
  /** Nodes that are being encoded, one after the other. */
  private unencoded = 0;
  private encoding = Promise.resolve();
  private isHeaderSent = false;
  private isFailed = false;
  private isSummed = false;
  private nodesToArrive = 0;
  private slowestRank = -1;
  private movedBytes = 0;
  private hiddenBytes = 0;
  private readyMs: number;
  private arrivedMs: number;
  private readonly outcome: Promise<void>;
  private resolve!: () => void;
  private reject!: (error: Error) => void;

  constructor(
    private readonly context: ReductionContext,
    private readonly plan: RoundPlan,
  ) {
    const { link, owners, workspace, coder, nowMs } = context;
    const { ranges, count, sum } = plan;
    this.outcome = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.outcome.catch(() => undefined); //                         awaited in `finish`, if it comes to that
    this.missing = [...this.nodesOf(link.rank)];
    this.incompleteSlices = owners.length;
    this.isComplete = owners.map(() => false);
    this.readyMs = this.arrivedMs = nowMs();
    this.slices = owners.map((slice) => {
      if (!slice.owners.includes(link.rank)) return undefined;
      const made = new SliceSum({ slice, count, ranges, me: link.rank, sum, workspace, coder });
      this.nodesToArrive += made.toArrive;
      return made;
    });
    link.inbox.open(plan.round, this);
    if (!plan.headerWaits) queueMicrotask(() => this.sendHeader()); // when our engine has its job: nobody needs it sooner
  }

  /** Tells every peer that we are in the round, if that was not done. */
  sendHeader(): void {
    if (this.isHeaderSent || this.isFailed) return;
    this.isHeaderSent = true;
    const { sum, count, engine } = this.plan;
    const header = writeHeader({ count, length: sum.length, ...engine });
    for (const peer of this.context.peers) void this.send(peer, 'header', 0, 0, header);
  }

  /** Takes this rank's next node, in the order of `coveringNodes`, and sends it to the slices' owners. */
  add(node: NodeSum): void {
    const { coder, nowMs } = this.context;
    const span = this.missing.shift();
    if (span?.first !== node.first || span.end !== node.end)
      throw new Error(`node ${node.first}..${node.end} out of turn: ${JSON.stringify(span)} is next`);
    const index = this.added++;
    this.sendHeader();
    if (this.missing.length === 0) {
      this.hiddenBytes = this.movedBytes;
      this.readyMs = nowMs();
    }
    if (coder.isPlain) {
      this.addPlain(node, index).catch((error: Error) => this.fail(error));
    } else {
      this.unencoded += 1;
      this.encoding = this.encoding.then(async () => this.encode(node, index));
    }
  }

  /**
   * Sent first, added here when it has left: a peer that waits for it does not wait for our sums and updates, too. And
   * whoever computed it is told so before the round can be over.
   */
  private async addPlain(node: NodeSum, index: number): Promise<void> {
    const { owners, link, peers } = this.context;
    for (const i of owners.keys()) void this.sendSlice(node, index, i);
    if (peers.length > 0 && link.departed) await link.departed();
    if (this.isFailed) return; //                                     the node may hold something else by now
    for (const i of owners.keys()) this.addOwnSlice(node, index, i);
  }

  /** Slice by slice, the next one when the streams have taken the one before: what is encoded travels meanwhile. */
  private async encode(node: NodeSum, index: number): Promise<void> {
    try {
      for (const i of this.context.encodingOrder) {
        if (this.isFailed) return; //                               the node may hold something else by now
        const sent = this.sendSlice(node, index, i); //             what is added is what the encoding left of it
        this.addOwnSlice(node, index, i);
        await Promise.all(sent);
      }
      this.unencoded -= 1;
      this.settle();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** @returns for each of the slice's other owners, when it needs our values no more */
  private sendSlice({ first, end, values: all }: NodeSum, index: number, i: number): Promise<void>[] {
    const { owners, peers, coder } = this.context;
    const slice = owners[i]!;
    const values = all.subarray(slice.begin, slice.end);
    const place = { kind: 'nodes', round: this.plan.round, span: { first, end }, begin: slice.begin } as const;
    const payload = coder.encode(slice, values, place);
    const others = peers.filter((peer) => slice.owners.includes(peer));
    return others.map(async (peer) => this.send(peer, 'nodes', i, index, payload));
  }

  private addOwnSlice({ values: all }: NodeSum, index: number, i: number): void {
    const { begin, end } = this.context.owners[i]!;
    const made = this.slices[i];
    if (!made || made.has(this.context.link.rank, index)) return; //  or another rank has computed it before us
    if (made.addOwn(index, all.subarray(begin, end))) this.summed(i);
  }

  /**
   * Waits until the sum is complete here and nobody needs our nodes any more.
   *
   * @throws Abandoned when the generation is sealed meanwhile
   */
  async finish(): Promise<ExchangeFacts> {
    this.sendHeader();
    this.settle();
    await this.outcome;
    const doneMs = this.context.nowMs();
    const arrivedMs = Math.max(this.readyMs, this.arrivedMs);
    return {
      wait: (arrivedMs - this.readyMs) / 1000,
      exchange: (doneMs - arrivedMs) / 1000,
      slowestRank: this.slowestRank,
      movedBytes: this.movedBytes,
      hiddenBytes: this.hiddenBytes,
    };
  }

  /** Whether the sum is complete, or will never be: nodes are not wanted any more. */
  get isOver(): boolean {
    return this.isSummed || this.isFailed;
  }

  /** Settles as `finish` does, without own nodes if others had them. */
  get over(): Promise<void> {
    return this.outcome;
  }

  /**
   * The neighbour whose nodes we may compute, too, and which of them are missing here. Undefined unless everybody is in this
   * round: whoever is a step behind, or stopped, has not sent its header, and no node of its finishes the step.
   */
  get missingOfNeighbour():
    { readonly rank: number; readonly isBehind: boolean; readonly nodes: number[] } | undefined {
    const { link, peers } = this.context;
    const rank = this.rankBefore(link.rank);
    const theirs = this.headers.get(rank);
    const { bits = 0 } = this.plan.engine ?? {};
    if (!theirs || bits === 0 || theirs.bits !== bits || this.headers.size < peers.length) return undefined;
    const made = this.slices.filter((slice) => slice !== undefined);
    const nodes = [...this.nodesOf(rank).keys()].filter((node) => made.some((slice) => !slice.has(rank, node)));
    return { rank, isBehind: theirs.isBehind ?? false, nodes };
  }

  /** The neighbour's node `index`, computed here: for our slices if its own is not there yet, and for the other owners. */
  addCopy(index: number, { values: all }: NodeSum): void {
    const { owners, peers, link } = this.context;
    const rank = this.rankBefore(link.rank);
    for (const [i, slice] of owners.entries()) {
      const values = all.subarray(slice.begin, slice.end);
      const payload = bytesOf(values); //                             no codec: canTakeCopies
      for (const peer of peers) if (slice.owners.includes(peer)) void this.send(peer, 'copy', i, index, payload);
      const made = this.slices[i];
      if (made && !made.has(rank, index)) this.takeCopy(i, rank, index, (target) => target.set(values));
    }
    this.settle();
  }

  receive(from: number, frame: ArrivedFrame): void {
    this.movedBytes += frame.payload.byteLength;
    if (frame.kind === 'header') this.receiveHeader(from, frame);
    else if (frame.kind === 'nodes') this.receiveNode(from, frame);
    else if (frame.kind === 'copy') this.receiveCopy(from, frame);
    else this.receiveSum(from, frame);
    this.settle();
  }

  fail(error: Error): void {
    this.isFailed = true;
    this.reject(error);
  }

  private receiveHeader(from: number, frame: ArrivedFrame): void {
    const { count, sum, round } = this.plan;
    if (this.headers.has(from)) this.refuse(from, 'its header came before');
    const theirs = headerOf(frame);
    if (!theirs) return this.refuse(from, `a header of ${frame.payload.byteLength} bytes`);
    const compare = (what: string, actual: number, expected: number): void => {
      if (actual !== expected) throw fault('ROUND_MISMATCH', { rank: from, round, what, expected, actual });
    };
    compare('micro-batches', theirs.count, count);
    compare('elements', theirs.length, sum.length);
    this.headers.set(from, theirs);
  }

  private receiveNode(from: number, frame: ArrivedFrame): void {
    const { slice: i, node } = frame;
    const made = this.slices[i];
    if (!made) return this.refuse(from, `slice ${i} is not ours to add`);
    this.checkLength(from, i, frame);
    const reason = made.refusal(from, node);
    if (reason !== undefined) this.refuse(from, reason);
    if (made.has(from, node)) return; //                             a copy was here first
    const isWhole = made.addTheirs(from, frame);
    this.nodeArrived(from);
    if (isWhole) this.summed(i);
  }

  /** A node of the rank before the sender, which has computed it, too: taken if it is here before that rank's own. */
  private receiveCopy(from: number, frame: ArrivedFrame): void {
    const { slice: i, node } = frame;
    const made = this.slices[i];
    if (!made || !this.canTakeCopies) return this.refuse(from, `no copies of slice ${i} are taken`);
    const rank = this.rankBefore(from);
    if (node >= made.nodeCount(rank)) return this.refuse(from, `rank ${rank} has no node ${node}`);
    this.checkLength(from, i, frame);
    if (!made.has(rank, node)) this.takeCopy(i, rank, node, (target) => fetchPayload(frame, bytesOf(target)));
  }

  private takeCopy(i: number, rank: number, node: number, write: (target: Float32Array) => void): void {
    const { link, nowMs } = this.context;
    this.context.link.inbox.supersede(rank, this.plan.round);
    if (rank !== link.rank) this.nodeArrived(rank);
    else if (this.missing.length > 0) this.readyMs = nowMs();
    if (this.slices[i]!.addCopy(rank, node, write)) this.summed(i);
  }

  private nodeArrived(rank: number): void {
    this.nodesToArrive -= 1;
    this.slowestRank = rank;
    if (this.nodesToArrive === 0) this.arrivedMs = this.context.nowMs();
  }

  private receiveSum(from: number, frame: ArrivedFrame): void {
    const { slice: i } = frame;
    const { owners, coder } = this.context;
    const slice = owners[i];
    if (!slice || this.slices[i] || slice.owners[0] !== from)
      return this.refuse(from, `slice ${i} is not theirs to sum`);
    if (this.isComplete[i]) this.refuse(from, `the sum of slice ${i} came before`);
    this.checkLength(from, i, frame);
    const values = this.plan.sum.subarray(slice.begin, slice.end);
    if (coder.isPlain) {
      fetchPayload(frame, bytesOf(values));
    } else {
      const bytes = coder.target(slice);
      fetchPayload(frame, bytes);
      coder.decode(slice, bytes, values);
    }
    this.complete(i, slice);
  }

  /** Slice `i`, which is ours, is added up: whoever does not own it gets its sum. */
  private summed(i: number): void {
    const { owners, peers, link, coder } = this.context;
    const { round, sum, count } = this.plan;
    const slice = owners[i]!;
    const others = slice.owners[0] === link.rank ? peers.filter((peer) => !slice.owners.includes(peer)) : [];
    if (others.length > 0) {
      const place = { kind: 'sum', round, span: { first: 0, end: count }, begin: slice.begin } as const;
      const payload = coder.encode(slice, sum.subarray(slice.begin, slice.end), place);
      for (const peer of others) void this.send(peer, 'sum', i, 0, payload);
    }
    this.complete(i, slice);
  }

  private complete(i: number, { begin, end }: Slice): void {
    this.isComplete[i] = true;
    this.incompleteSlices -= 1;
    this.plan.onSlice?.(begin, end);
    this.settle();
  }

  /** @returns when the payload was taken, or the round has failed */
  private async send(to: number, kind: Frame['kind'], slice: number, node: number, payload: Uint8Array): Promise<void> {
    this.pendingSends += 1;
    return this.context.link.send(to, { kind, round: this.plan.round, slice, node, payload }).then(
      () => {
        this.pendingSends -= 1;
        this.movedBytes += payload.byteLength;
        this.settle();
      },
      (error: unknown) => this.fail(error as Error),
    );
  }

  private settle(): void {
    const { peers } = this.context;
    const isDone = this.incompleteSlices === 0 && this.pendingSends === 0 && this.unencoded === 0;
    const hasOwn = this.missing.length === 0 || this.canTakeCopies; // complete slices have them, from whomever
    if (!isDone || !hasOwn || this.headers.size < peers.length) return;
    this.isSummed = true;
    this.resolve();
  }

  private checkLength(from: number, i: number, { payload }: ArrivedFrame): void {
    const expected = this.context.coder.byteLength(this.context.owners[i]!);
    if (payload.byteLength !== expected)
      this.refuse(from, `slice ${i} has ${expected} bytes on the wire, not ${payload.byteLength}`);
  }

  /** Where a second computation is allowed, nodes may come from either of two ranks. */
  private get canTakeCopies(): boolean {
    return (this.plan.engine?.bits ?? 0) > 0;
  }

  /** Whose nodes a rank may compute beside its own. */
  private rankBefore(rank: number): number {
    const { worldSize } = this.context.link;
    return (rank + worldSize - 1) % worldSize;
  }

  private nodesOf(rank: number): readonly TreeSpan[] {
    const range = this.plan.ranges[rank]; //                        a hub has none
    return range ? coveringNodes(range, this.plan.count) : [];
  }

  private refuse(rank: number, reason: string): never {
    throw fault('FRAME_REFUSED', { rank, round: this.plan.round, reason });
  }
}
