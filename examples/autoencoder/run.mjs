// Pictures of a blob squeezed into four numbers and drawn again from these: inputs are labels, too.
import { data, defineRun } from 'lockstep';

const side = 12;

/**
 * Blobs anywhere, of any size, each a function of its index. Only + - * / and comparisons: Math.exp and others are not
 * the same on every machine.
 */
function blobs(length, first) {
  const values = new Float32Array(length * side * side);
  for (let i = 0; i < length; i++) {
    const [row, column, radius] = [0.8191725, 0.6710436, 0.5497005].map((step) => ((first + i) * step) % 1); // spread evenly
    const [top, left, reach] = [2 + row * 7, 2 + column * 7, 2.5 + radius * 2];
    for (let pixel = 0; pixel < side * side; pixel++) {
      const [down, right] = [Math.floor(pixel / side) - top, (pixel % side) - left];
      const near = 1 - (down * down + right * right) / (reach * reach);
      values[i * side * side + pixel] = near > 0 ? near * near : 0;
    }
  }
  const picture = { values, shape: [side * side] };
  return data.arrays({ x: picture, y: picture });
}

export default defineRun({
  model({ tf }) {
    const dense = (units, activation) => tf.layers.dense({ units, activation });
    const input = tf.input({ shape: [side * side] });
    const layers = [dense(64, 'relu'), dense(4), dense(64, 'relu'), dense(side * side)];
    return tf.model({ inputs: input, outputs: layers.reduce((before, layer) => layer.apply(before), input) });
  },
  data: { train: blobs(1024, 0), validation: blobs(256, 5000) },
  loss: 'meanSquaredError',
});
