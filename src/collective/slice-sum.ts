import { bytesOf, type SliceCoder } from './codec.js';
import { fetchPayload, type ArrivedFrame } from './frame.js';
import type { Slice } from './owner-map.js';
import type { Range } from './ranges.js';
import { coveringNodes, TreeSum, type TreeSpan } from './tree.js';
import type { Workspace } from './workspace.js';

export interface SliceSumOptions {
  readonly slice: Slice;
  readonly count: number;
  readonly ranges: readonly Range[];
  readonly me: number;
  /** float32[length], of the whole vector. */
  readonly sum: Float32Array;
  readonly workspace: Workspace;
  readonly coder: SliceCoder;
}

/** A node's place in the order in which a slice is added. */
interface Entry {
  readonly span: TreeSpan;
  /** Where a peer's values go; own ones stay where they are. */
  readonly target: Float32Array | undefined;
  /** When they are there. */
  values?: Float32Array;
  /** They were computed by another rank than the one whose node it is. */
  isCopy?: boolean;
}

/**
 * The sum of one slice: whoever adds, adds these nodes in this order. Each is added as soon as it and all before it are
 * there, so that early arrivals cost no time at the end.
 */
export class SliceSum {
  private readonly entries: Entry[] = [];
  /** Index of each rank's first node in `entries`, and how many it has. */
  private readonly byRank: { readonly first: number; readonly count: number }[] = [];
  private readonly tree: TreeSum<Float32Array>;
  private readonly home: Float32Array;
  private next = 0;
  /** Nodes that peers send. */
  readonly toArrive: number;

  constructor(private readonly options: SliceSumOptions) {
    const { slice, count, ranges, me, sum, workspace } = options;
    this.home = sum.subarray(slice.begin, slice.end);
    let isHomeFree = true;
    for (const [rank, range] of ranges.entries()) {
      const spans = coveringNodes(range, count);
      this.byRank.push({ first: this.entries.length, count: spans.length });
      for (const span of spans) {
        const isTheirs = rank !== me;
        // The first node that arrives is received where the sum will be: whatever it meets is added to it there.
        const place = isTheirs && isHomeFree ? this.home : isTheirs ? workspace.take(this.home.length) : undefined;
        if (isTheirs) isHomeFree = false;
        this.entries.push({ span, target: place });
      }
    }
    this.toArrive = this.entries.filter(({ target }) => target).length;
    this.tree = new TreeSum<Float32Array>(count, (left, right) => this.addInto(left, right));
  }

  /** Why a peer's node is not wanted, if so. */
  refusal(rank: number, node: number): string | undefined {
    const place = this.byRank[rank];
    if (!place || node >= place.count) return `it has no node ${node}`;
    const { values, isCopy } = this.entries[place.first + node]!;
    return values && !isCopy ? `node ${node} of its slice came before` : undefined;
  }

  /** Whether this node is there, whoever computed it. */
  has(rank: number, node: number): boolean {
    return this.entries[this.byRank[rank]!.first + node]!.values !== undefined;
  }

  /** How many nodes of a rank are to be added. */
  nodeCount(rank: number): number {
    return this.byRank[rank]?.count ?? 0;
  }

  /**
   * A node that is not there yet, computed by another rank than the one whose it is.
   *
   * @param write - puts its values where they belong
   * @returns whether the sum is complete
   */
  addCopy(rank: number, node: number, write: (target: Float32Array) => void): boolean {
    const entry = this.entries[this.byRank[rank]!.first + node]!;
    const values = entry.target ?? this.options.workspace.take(this.home.length); // none was taken for own nodes
    write(values);
    entry.isCopy = true;
    return this.arrive(entry, values);
  }

  /** @returns whether the sum is complete */
  addOwn(node: number, values: Float32Array): boolean {
    return this.arrive(this.entries[this.byRank[this.options.me]!.first + node]!, values);
  }

  /** @param frame - with a payload of the right length @returns whether the sum is complete */
  addTheirs(rank: number, frame: ArrivedFrame): boolean {
    const { slice, coder } = this.options;
    const entry = this.entries[this.byRank[rank]!.first + frame.node]!;
    const values = entry.target!;
    if (coder.isPlain) {
      fetchPayload(frame, bytesOf(values));
    } else {
      const bytes = coder.target(slice);
      fetchPayload(frame, bytes);
      coder.decode(slice, bytes, values);
    }
    return this.arrive(entry, values);
  }

  private arrive(entry: Entry, values: Float32Array): boolean {
    entry.values = values;
    for (let ready = this.entries[this.next]; ready?.values; ready = this.entries[++this.next])
      this.tree.push(ready.span, ready.values);
    if (this.next < this.entries.length) return false;
    const root = this.tree.root();
    if (root !== this.home) this.home.set(root);
    return true;
  }

  /** Addition commutes, so either storage may take the sum: the sum's own place if it is one of them, else never own nodes. */
  private addInto(left: Float32Array, right: Float32Array): Float32Array {
    const isOwn = this.entries.some(({ values, target }) => values === left && !target);
    const [to, from] = right === this.home || isOwn ? [right, left] : [left, right];
    this.options.workspace.vectors.add(to, from);
    return to;
  }
}
