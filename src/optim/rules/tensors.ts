import type { TensorSlot } from '../../core/layout.js';

/** A tensor whose norms a rule looks at, and the part of it that is to be updated. */
export interface TensorPart {
  readonly tensorBegin: number;
  readonly tensorEnd: number;
  /** Elements `begin..end-1`, inside the tensor. */
  readonly begin: number;
  readonly end: number;
  /** Not so for biases and normalisation, tensors of one dimension: they take the plain step, without decay. */
  readonly isScaled: boolean;
}

/** The tensors that elements `begin..end-1` belong to, in their order. @param length - of the flat vector */
export function partsOf(
  tensors: readonly TensorSlot[] | undefined,
  length: number,
  begin: number,
  end: number,
): readonly TensorPart[] {
  const all = tensors ?? [{ offset: 0, size: length, shape: [length, 1] }];
  return all
    .map(({ offset, size, shape }) => ({
      tensorBegin: offset,
      tensorEnd: offset + size,
      begin: Math.max(begin, offset),
      end: Math.min(end, offset + size),
      isScaled: shape.length > 1,
    }))
    .filter((part) => part.begin < part.end);
}

/** A call for each tensor. @param decay - of the tensors that are scaled */
export function callsByTensor<N extends Readonly<Record<string, number>>>(
  parts: readonly TensorPart[],
  decay: number,
  common: N,
) {
  return parts.map(({ begin, end, tensorBegin, tensorEnd, isScaled }) => ({
    begin,
    end,
    numbers: { ...common, decay: isScaled ? decay : 0, tensorBegin, tensorEnd, isScaled: Number(isScaled) },
  }));
}
