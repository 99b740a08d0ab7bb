import { pieceFloats, type PieceCodec } from './codec.js';

/**
 * Of each piece the floats of largest magnitude, as many as `ratio` of it and at least one: index as uint16 and value as
 * float32, six bytes each. The rest counts as zero and waits in the residual (Stich et al. 2018). Of equal magnitudes the
 * first ones are taken. What is not finite is largest, so it gets through.
 *
 * On the wire: values, then indices, ascending.
 *
 * @param ratio - above 0, at most 1
 */
export function topk(ratio: number): PieceCodec {
  const keptOf = (length: number): number => Math.min(length, Math.max(1, Math.floor(length * ratio)));
  const selector = new Selector();
  const partsOf = (bytes: Uint8Array, length: number) => {
    const kept = keptOf(length);
    return {
      kept: new Float32Array(bytes.buffer, bytes.byteOffset, kept),
      indices: new Uint16Array(bytes.buffer, bytes.byteOffset + kept * 4, kept + (kept & 1)),
    };
  };
  return {
    name: 'topk',
    hasErrorFeedback: true,
    bytesFor: (length) => (length === 0 ? 0 : Math.ceil((keptOf(length) * 6) / 4) * 4),
    encode(values, bytes, _key, residual) {
      if (values.length === 0) return;
      const { kept, indices } = partsOf(bytes, values.length);
      if (residual) for (let i = 0; i < values.length; i++) values[i] = values[i]! + residual[i]!;
      const { threshold, ties } = selector.find(values, kept.length);
      const magnitudes = magnitudesOf(values);
      indices[indices.length - 1] = 0; //                            padding
      let count = 0;
      let tiesLeft = ties;
      for (let i = 0; i < values.length; i++) {
        const magnitude = magnitudes[i]! & 0x7fffffff;
        const isKept = magnitude > threshold || (magnitude === threshold && tiesLeft-- > 0);
        if (isKept) {
          kept[count] = values[i]!;
          indices[count++] = i;
        }
        if (residual) residual[i] = isKept ? 0 : values[i]!;
        if (!isKept) values[i] = 0;
      }
    },
    decode(bytes, values) {
      values.fill(0);
      if (values.length === 0) return;
      const { kept, indices } = partsOf(bytes, values.length);
      for (let i = 0; i < kept.length; i++) {
        const index = indices[i]!;
        if (index < values.length) values[index] = kept[i]!; //      a damaged index writes nowhere else
      }
    },
  };
}

/** The bits of magnitudes order as the magnitudes do, NaN last. */
function magnitudesOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

const lowBits = 16;

/** Finds the n-th largest magnitude by counting: once by the upper 15 bits, then by the lower 16 of those in its bin. */
class Selector {
  private readonly upper = new Uint32Array(1 << (31 - lowBits));
  private readonly lower = new Uint32Array(1 << lowBits);

  /** @returns the n-th largest magnitude as bits, and how many equal to it are among the n */
  find(values: Float32Array, n: number): { threshold: number; ties: number } {
    if (values.length > pieceFloats) throw new RangeError(`a piece of ${values.length} floats`);
    const { upper, lower } = this;
    const bits = magnitudesOf(values);
    upper.fill(0);
    for (let i = 0; i < bits.length; i++) upper[(bits[i]! & 0x7fffffff) >>> lowBits]!++;
    const high = binOf(upper, n);
    lower.fill(0);
    for (let i = 0; i < bits.length; i++) {
      const magnitude = bits[i]! & 0x7fffffff;
      if (magnitude >>> lowBits === high.bin) lower[magnitude & 0xffff]!++;
    }
    const low = binOf(lower, high.wanted);
    return { threshold: high.bin * 65_536 + low.bin, ties: low.wanted };
  }
}

/** The bin of the n-th largest, and how many of that bin are still wanted then. */
function binOf(counts: Uint32Array, n: number): { bin: number; wanted: number } {
  let wanted = n;
  let bin = counts.length - 1;
  while (counts[bin]! < wanted) wanted -= counts[bin--]!;
  return { bin, wanted };
}
