// Circles, squares and triangles from folders of PNG files, with batch normalisation and depthwise convolutions.
import { data, defineRun } from 'lockstep';

const side = 24;
const open = (name) => data.images(new URL(name, import.meta.url), { height: side, width: side, channels: 1 });

/** Mirrored or not, moved by up to two pixels either way, other light: `random` is keyed by seed, epoch and sample. */
function change({ x, y }, random) {
  const isMirrored = random.uniform() < 0.5;
  const [down, right] = [0, 0].map(() => Math.floor(random.uniform() * 5) - 2);
  const light = 0.7 + 0.6 * random.uniform();
  const changed = new Uint8Array(side * side);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const from = { row: row - down, column: (isMirrored ? side - 1 - column : column) - right };
      const isInside = [from.row, from.column].every((at) => at >= 0 && at < side);
      const value = isInside ? x[from.row * side + from.column] : 0;
      changed[row * side + column] = Math.min(255, Math.round(value * light));
    }
  return { x: changed, y };
}

export default defineRun({
  model({ tf }) {
    const block = (filters, strides) => [
      tf.layers.depthwiseConv2d({ kernelSize: 3, strides, padding: 'same', useBias: false }),
      tf.layers.conv2d({ filters, kernelSize: 1, useBias: false }),
      tf.layers.batchNormalization({ momentum: 0.9 }),
      tf.layers.activation({ activation: 'relu' }),
    ];
    const first = { inputShape: [side, side, 1], filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' };
    const last = [tf.layers.globalAveragePooling2d({}), tf.layers.dense({ units: 3 })];
    return tf.sequential({ layers: [tf.layers.conv2d(first), ...block(16, 2), ...block(32, 2), ...last] });
  },
  data: async () => ({ train: data.augment(await open('train'), change), validation: await open('validation') }),
});
