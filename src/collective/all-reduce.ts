import { SliceCoder, type Codec } from './codec.js';
import type { Link } from './link.js';
import { encodingOrder, ownerMap, peersOf, type Topology } from './owner-map.js';
import { Reduction } from './reduction.js';
import type { ReductionContext, RoundPlan } from './round-plan.js';
import type { Workspace } from './workspace.js';

export interface AllReduceNeeds {
  readonly link: Link;
  readonly workspace: Workspace;
  /** Monotonic milliseconds, only to report where time went. */
  readonly nowMs: () => number;
  /** Absent: float32 travels as it is. */
  readonly codec?: Codec | undefined;
}

export interface AllReduceOptions {
  readonly topology: Topology;
  /** Elements of the vector. */
  readonly length: number;
  /** Elements at its end that no codec touches: losses and counts. */
  readonly exactTail: number;
}

/** A peer's early frames may be as long as so many vectors: it has one node, or a few when its range is no whole subtree. */
const earlyVectorsMax = 32;

/**
 * Sums a flat float32 vector over all micro-batches of a round, with the bits of the canonical tree, at any world size.
 *
 * Each rank sends the nodes that cover its range to the slices' owners; an owner adds them in tree order; the first
 * owner of a slice sends the sum to everybody who does not own it. One object serves one generation. Its rounds come one
 * after the other; several objects may take turns on one link and in one workspace.
 */
export class AllReduce {
  private readonly context: ReductionContext;

  constructor(needs: AllReduceNeeds, { topology, length, exactTail }: AllReduceOptions) {
    const { link, workspace, nowMs, codec } = needs;
    const owners = ownerMap(topology, length, link.worldSize);
    const peers = peersOf(topology, link.rank, link.worldSize);
    const coder = new SliceCoder(codec, length - exactTail, workspace);
    this.context = { link, workspace, nowMs, owners, peers, coder, encodingOrder: encodingOrder(owners) };
    link.inbox.allowEarly(earlyVectorsMax * length * 4);
  }

  /** Opens a round: a header goes to every peer, and what they send finds its place. */
  open(plan: RoundPlan): Reduction {
    this.context.workspace.reset();
    return new Reduction(this.context, plan);
  }

  /** The step of the last round was skipped: residuals of lossy codecs belong to values that nobody applied. */
  forget(): void {
    this.context.coder.forget();
  }
}
