/** Ranges of micro-batches on a device: all that fit at once are one submission, and their nodes are added there. */
import type { RangeEngine, RangeNode, RangeWork, SamplePlace } from '../engine.js';
import type { KeptImages } from './kept-images.js';
import type { GpuPlan } from './plan.js';
import type { Kernel } from './program.js';
import type { Wanted } from './read-back.js';
import type { DeviceTree, NodePlace } from './tree.js';

export interface RangeParts {
  readonly plan: GpuPlan;
  readonly images: KeptImages;
  /** Absent on a device that does not add as the host does: then the host adds. */
  readonly tree: DeviceTree | undefined;
  readonly microBatchSize: number;
  /** Micro-batches at once, a power of two. */
  readonly microBatches: number;
  readonly queue: GPUQueue;
  /** Runs kernels over samples, and brings what is wanted. */
  readonly run: (kernels: readonly Kernel[], m: number, place: SamplePlace, wanted: readonly Wanted[]) => Promise<void>;
  /** `target[i] += source[i]` */
  readonly add: (target: Float32Array, source: Float32Array) => void;
}

/** A node, or where it has more micro-batches than fit, one of its equal parts. */
interface Piece {
  readonly first: number;
  readonly end: number;
  readonly values: Float32Array;
}

export class DeviceRanges implements RangeEngine {
  constructor(private readonly parts: RangeParts) {}

  async sums({ samples, place, nodes }: RangeWork): Promise<void> {
    const { microBatchSize, microBatches, tree } = this.parts;
    const begin = nodes[0]!.first;
    const pieces = nodes.map((node) => piecesOf(node, tree ? microBatches : 1));
    const turns = chunked(pieces.flat(), microBatches);
    await Promise.all(
      turns.map((turn) => {
        const [from, to] = [(turn[0]!.first - begin) * microBatchSize, (turn.at(-1)!.end - begin) * microBatchSize];
        const position = place.position + from;
        return this.turn(turn, samples.subarray(from, to), { epoch: place.epoch, position });
      }),
    );
    for (const parts of pieces) addUp(parts, this.parts.add);
  }

  /** Writes and kernels of one turn are in the queue before those of the next. */
  private turn(pieces: readonly Piece[], samples: Uint32Array<ArrayBuffer>, place: SamplePlace): Promise<void> {
    const { plan, images, tree, queue, run } = this.parts;
    const { parameterCount, extraCount } = plan.layout;
    const bytes = (parameterCount + extraCount) * 4;
    const first = pieces[0]!.first;
    const places: NodePlace[] = pieces.map((piece) => ({ first: piece.first - first, end: piece.end - first }));
    queue.writeBuffer(images.order, 0, samples);
    const kernels = [images.gather, ...plan.gradient, ...(tree?.kernels(places) ?? [])];
    const wanted = pieces.map(({ values }, i) => ({
      from: plan.sums.buffer,
      offset: places[i]!.first * bytes,
      to: values,
    }));
    return run(kernels, samples.length, place, wanted);
  }
}

function piecesOf({ first, end, values }: RangeNode, most: number): readonly Piece[] {
  if (end - first <= most) return [{ first, end, values }];
  const pieces: Piece[] = [];
  for (let at = first; at < end; at += most) {
    const own = at === first ? values : new Float32Array(values.length);
    pieces.push({ first: at, end: Math.min(at + most, end), values: own });
  }
  return pieces;
}

/** As many as fit at once, again and again. */
function chunked(pieces: readonly Piece[], most: number): readonly (readonly Piece[])[] {
  const chunks: Piece[][] = [];
  for (const piece of pieces) {
    const last = chunks.at(-1);
    if (last && piece.end - last[0]!.first <= most) last.push(piece);
    else chunks.push([piece]);
  }
  return chunks;
}

/** The tree above pieces of equal width, the last perhaps narrower, into the first. */
function addUp(pieces: readonly Piece[], add: RangeParts['add']): void {
  for (let width = 1; width < pieces.length; width *= 2)
    for (let i = 0; i + width < pieces.length; i += 2 * width) add(pieces[i]!.values, pieces[i + width]!.values);
}
