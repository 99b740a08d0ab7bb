/** Elements of a tensor of this shape; a single number has the shape []. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, d) => size * d, 1);
}
