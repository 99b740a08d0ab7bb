// How many bikes are lent in an hour, from a table: regression with mean squared error.
import { data, defineRun } from 'lockstep';

const columns = ['hour', 'temperature', 'wind', 'rain', 'weekend'];
/** About the size of each column, so that every input is near 1. */
const sizes = [24, 30, 20, 1, 1];

async function open() {
  const table = await data.csv(new URL('rides.csv', import.meta.url), { x: columns, y: 'rides' });
  const scaled = data.map(table, ({ x, y }) => ({ x: x.map((value, i) => value / sizes[i]), y: [y[0] / 100] }));
  const [train, validation] = data.split(scaled, 0.2);
  return { train, validation };
}

export default defineRun({
  model: ({ tf }) =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [columns.length], units: 64, activation: 'relu' }),
        tf.layers.dense({ units: 64, activation: 'relu' }),
        tf.layers.dense({ units: 1 }),
      ],
    }),
  data: open,
  loss: 'meanSquaredError',
});
