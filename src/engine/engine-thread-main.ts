/** The engine thread's program: it answers with its layout once, and then with one answer to each job. */
import { parentPort, workerData } from 'node:worker_threads';

import { Arena } from '../core/arena.js';
import { imagesDataset } from '../data/encoded-images.js';
import { createEngine } from './choose-engine.js';
import type { ComputedNode } from './engine-thread.js';
import {
  endThread,
  sentError,
  type SentNode,
  type ThreadAnswer,
  type ThreadData,
  type ThreadJob,
} from './engine-thread-messages.js';
import { fault } from './faults.js';
import { MicroBatchRunner } from './micro-batch-runner.js';

const port = parentPort!;
const answer = (message: ThreadAnswer): void => port.postMessage(message);
const sent = ({ first, end, values }: ComputedNode): SentNode => ({
  first,
  end,
  values: { address: values.byteOffset, length: values.length },
});

try {
  const { memory, train, test, engine: name, model, microBatchSize, order, gpu, scalesLoss } = workerData as ThreadData;
  const arena = new Arena(memory);
  const sets = { train: imagesDataset(train, model.inputScaling), test: imagesDataset(test, model.inputScaling) };
  const asked = { model, microBatchSize, arena, seed: order.seed, train: sets.train, ...(gpu && { gpu }) };
  const engine = await createEngine(name, { ...asked, ...(scalesLoss && { scalesLoss }) });
  if (scalesLoss && !engine.setLossScale) throw fault('LOSS_NOT_SCALED', { engine: engine.name });
  const runner = new MicroBatchRunner(engine, arena, { microBatchSize, order, ...sets });
  const run = async (job: ThreadJob): Promise<void> => {
    try {
      const begin = performance.now();
      const weights = new Float32Array(arena.buffer, job.weights.address, job.weights.length);
      const nodes = await runner.run({ ...job, weights }, (node) => answer({ node: sent(node) }));
      const computeSeconds = (performance.now() - begin) / 1e3;
      answer({
        nodes: nodes.map(sent),
        computeSeconds,
        tensorCount: engine.tensorCount(),
      });
      if (job.next) runner.prefetch(job.next);
    } catch (error) {
      if (!isEnding) answer({ error: sentError(error) });
    }
  };
  let isEnding = false;
  let running = Promise.resolve();
  const end = async (): Promise<void> => {
    isEnding = true;
    engine.close?.();
    await running; //                                               of what Dawn has promised nothing may be left open
    process.exit();
  };

  port.on('message', (job: ThreadJob | typeof endThread) => void (job === endThread ? end() : (running = run(job))));
  answer({ name: engine.name, deterministic: engine.deterministic, layout: engine.layout });
} catch (error) {
  answer({ error: sentError(error) });
}
