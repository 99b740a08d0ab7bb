import type { Range } from './ranges.js';

/**
 * The canonical tree: how the sums of `count` micro-batches are added, whoever computes and wherever they meet.
 *
 *     ((0+1)+(2+3)) + ((4+5)+6)      count = 7; odd ends are promoted
 *
 * Floating-point addition commutes but does not associate, so the bits of a sum depend on this shape alone. A node is
 * named by the micro-batches under it, `first..end-1`: it starts at a multiple of some power of two, and ends that power
 * later or, at the right edge, at `count`.
 */
export type TreeSpan = Range;

/**
 * The fewest nodes of the tree that together cover `range`, in ascending order: the largest complete subtrees inside it.
 * At most about `2 * log2(count)`.
 */
export function coveringNodes(range: Range, count: number): readonly TreeSpan[] {
  const nodes: TreeSpan[] = [];
  for (let first = range.first; first < range.end;) {
    const end = nodeEnd(first, range.end, count);
    nodes.push({ first, end });
    first = end;
  }
  return nodes;
}

/** How many nodes `coveringNodes` gives for `first..end-1`. */
export function coveringCount(first: number, end: number, count: number): number {
  let nodes = 0;
  for (let at = first; at < end; at = nodeEnd(at, end, count)) nodes += 1;
  return nodes;
}

/** Where the largest node ends that starts at `first` and lies before `limit`. */
function nodeEnd(first: number, limit: number, count: number): number {
  let end = first + 1;
  for (let width = 2; first % width === 0 && Math.min(first + width, count) <= limit; width *= 2) {
    end = Math.min(first + width, count);
    if (end === count) break; //                                  wider nodes that start here are the same, promoted
  }
  return end;
}

/** Whether the two are the left and the right child of one node. */
function areSiblings(left: TreeSpan, right: TreeSpan, count: number): boolean {
  const width = left.end - left.first; //                         a left child is never cut off, so this is a power of two
  return left.end === right.first && left.first % (2 * width) === 0 && right.end === Math.min(left.end + width, count);
}

/**
 * Adds up nodes that arrive in ascending order, two siblings as soon as both are there.
 *
 * @typeParam V - what is added: a vector, or a place where one lies
 */
export class TreeSum<V> {
  private readonly stack: { span: TreeSpan; value: V }[] = [];

  /** @param add - the sum of a left and a right child; may reuse either's storage */
  constructor(
    private readonly count: number,
    private readonly add: (left: V, right: V) => V,
  ) {}

  push(span: TreeSpan, value: V): void {
    let top = { span, value };
    for (let left = this.stack.at(-1); left && areSiblings(left.span, top.span, this.count); left = this.stack.at(-1)) {
      this.stack.pop();
      top = { span: { first: left.span.first, end: top.span.end }, value: this.add(left.value, top.value) };
    }
    this.stack.push(top);
  }

  /** What has not met its sibling yet, in ascending order: after pushes that cover a range, its `coveringNodes`. */
  get nodes(): readonly { readonly span: TreeSpan; readonly value: V }[] {
    return this.stack;
  }

  /** The root. @throws Error when nodes are missing, which is a bug of the caller */
  root(): V {
    const [root, ...rest] = this.stack;
    if (!root || rest.length > 0 || root.span.first !== 0 || root.span.end !== this.count) {
      throw new Error(`tree of ${this.count} is incomplete: ${JSON.stringify(this.stack.map((n) => n.span))}`);
    }
    return root.value;
  }
}
