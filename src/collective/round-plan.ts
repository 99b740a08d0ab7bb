import type { SliceCoder } from './codec.js';
import type { Round, RoundHeader } from './frame.js';
import type { Link } from './link.js';
import type { OwnerMap } from './owner-map.js';
import type { Range } from './ranges.js';
import type { TreeSpan } from './tree.js';
import type { Workspace } from './workspace.js';

/** What goes into a round of the all-reduce, and what comes out of it. */

/** A partial sum of the canonical tree: the sums of micro-batches `first..end-1`. */
export interface NodeSum extends TreeSpan {
  /** float32[length]; read until the round is finished, and rounded to what receivers decode if there is a codec. */
  readonly values: Float32Array;
}

/** What a round took, by the clock that was handed in. */
export interface ExchangeFacts {
  /** Seconds from own nodes ready until the last peer's have arrived: 0 if they were there before. */
  readonly wait: number;
  /** Seconds from then on until the whole sum is there. */
  readonly exchange: number;
  /** Of the peer whose last node came last; -1 when no peer had nodes for this rank. */
  readonly slowestRank: number;
  /** Bytes of payload that this rank sent and received. */
  readonly movedBytes: number;
  /** Those that had moved when the last own node was ready: they cost no time. */
  readonly hiddenBytes: number;
}

/** What all rounds of an all-reduce have in common. */
export interface ReductionContext {
  readonly link: Link;
  readonly owners: OwnerMap;
  readonly peers: readonly number[];
  readonly workspace: Workspace;
  readonly coder: SliceCoder;
  /** Indices of all slices, those of different owners in turn. */
  readonly encodingOrder: readonly number[];
  readonly nowMs: () => number;
}

/** What a round is about. */
export interface RoundPlan {
  readonly round: Round;
  /** Of each member, together 0..count-1. */
  readonly ranges: readonly Range[];
  /** Micro-batches. */
  readonly count: number;
  /** float32[length]: where the sum goes. Undefined until the round is finished. */
  readonly sum: Float32Array;
  /** What our header says of our engine, where nodes may be computed by another rank, too. */
  readonly engine?: Pick<RoundHeader, 'bits' | 'isBehind'> | undefined;
  /** The header leaves with the first own node, in one packet, unless `sendHeader` or `finish` is called before. Default false. */
  readonly headerWaits?: boolean;
  /** Called once for each slice, as soon as its sum is there, in any order. */
  readonly onSlice?: ((begin: number, end: number) => void) | undefined;
}
