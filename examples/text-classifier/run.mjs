// Is a review content or not? Words become vectors, and a convolution looks at three of them at a time: "not good".
import { readFileSync } from 'node:fs';

import { data, defineRun } from 'lockstep';

const words = 12;
/** `1<tab>the soup was not bad`: the class, and the words. */
const read = (name) =>
  readFileSync(new URL(name, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([label, text]) => ({ label: Number(label), words: text.split(' ').slice(0, words) }));

const reviews = read('train.tsv');
/** Numbers of words, in the order in which they come; 0 is no word, 1 one that is not known. */
const numbers = new Map([...new Set(reviews.flatMap((review) => review.words))].map((word, i) => [word, i + 2]));

function dataset(found) {
  const values = new Int32Array(found.length * words);
  found.forEach((review, i) => review.words.forEach((word, j) => (values[i * words + j] = numbers.get(word) ?? 1)));
  return data.arrays({
    x: { values, shape: [words] },
    y: { values: Int32Array.from(found, ({ label }) => label) },
  });
}

export default defineRun({
  model: ({ tf }) =>
    tf.sequential({
      layers: [
        tf.layers.embedding({ inputLength: words, inputDim: numbers.size + 2, outputDim: 8 }),
        tf.layers.conv1d({ filters: 16, kernelSize: 3, activation: 'relu' }),
        tf.layers.globalMaxPooling1d(),
        tf.layers.dense({ units: 2 }),
      ],
    }),
  data: { train: dataset(reviews), validation: dataset(read('validation.tsv')) },
});
