// Ten pictures of each of three new shapes, and a saved model that knows three others: only a new last layer learns.
import { data, defineRun } from 'lockstep';

const open = (name) => data.images(new URL(name, import.meta.url), { height: 24, width: 24, channels: 1 });

export default defineRun({
  async model({ tf, loadModel }) {
    const saved = await loadModel('saved/model.json');
    const kept = saved.layers.slice(0, -1); //                        all but what decides between the old shapes
    for (const layer of kept) layer.trainable = false;
    const features = kept.at(-1).output;
    return tf.model({ inputs: saved.inputs, outputs: tf.layers.dense({ units: 3, name: 'shapes' }).apply(features) });
  },
  data: async () => ({ train: await open('train'), validation: await open('validation') }),
});
