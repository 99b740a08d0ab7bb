/** Where each tensor of a model lies in the flat float32 vector of its parameters. */
export interface TensorSlot {
  /** Layer and role: `conv1.kernel`. */
  readonly name: string;
  /** TensorFlow.js's layouts: HWIO kernels, [in, out] matrices. */
  readonly shape: readonly number[];
  /** Index of the first element in the flat vector. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
}

/** The canonical order of a model's parameters: that of its layers, kernel before bias. */
export interface ParameterLayout {
  readonly tensors: readonly TensorSlot[];
  /** Elements of the flat vector. */
  readonly parameterCount: number;
}

/** Lays tensors one after the other, without gaps, in the order given. */
export function layoutOf(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
): ParameterLayout {
  let offset = 0;
  const slots = tensors.map(({ name, shape }) => {
    const size = shape.reduce((product, d) => product * d, 1);
    const slot: TensorSlot = { name, shape, offset, size };
    offset += size;
    return slot;
  });
  return { tensors: slots, parameterCount: offset };
}
