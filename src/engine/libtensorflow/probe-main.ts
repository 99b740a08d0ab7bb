/** `node probe-main.js INSTALLATION`: loads TensorFlow in a process of its own, computes something, and says how that went. */
import { tf } from '../tensorflow.js';
import type { Installation } from './installations.js';
import { loadTensorflow } from './load.js';
import type { ProbeAnswer } from './probe.js';

const answer = (message: ProbeAnswer): void => void process.stdout.write(`${JSON.stringify(message)}\n`);

try {
  const loaded = loadTensorflow(JSON.parse(process.argv[2]!) as Installation);
  await tf.setBackend('tensorflow');
  const [product] = tf.matMul([[1, 2]], [[3], [4]]).dataSync<'float32'>();
  answer(product === 11 ? loaded : { reason: `1 * 3 + 2 * 4 is ${product} there` });
} catch (error) {
  answer({ reason: String((error as Error).message.split('\n', 1)[0]) });
}
