/** The engine thread's program: it answers with its layout once, and then with one answer to each job. */
import { parentPort, workerData } from 'node:worker_threads';

import { Arena } from '../core/arena.js';
import { systemClock } from '../core/clock.js';
import { sentError } from '../core/sent-error.js';
import { imagesDataset, type InputScaling } from '../data/encoded-images.js';
import { createEngine } from './choose-engine.js';
import type { ComputedNode, ResidentImages } from './engine-thread.js';
import {
  endThread,
  type SentNode,
  type ThreadAnswer,
  type ThreadData,
  type ThreadJob,
} from './engine-thread-messages.js';
import { fault } from './faults.js';
import type { Feed } from './feeds/feed.js';
import { ResidentFeed } from './feeds/resident-feed.js';
import { StreamedFeed, type SampleStream } from './feeds/streamed-feed.js';
import { MicroBatchRunner } from './micro-batch-runner.js';

const port = parentPort!;
const answer = (message: ThreadAnswer): void => port.postMessage(message);
const sent = ({ first, end, values }: ComputedNode): SentNode => ({
  first,
  end,
  values: { address: values.byteOffset, length: values.length },
});

try {
  const {
    memory,
    samples,
    ownLoss,
    metrics: wanted,
    engine: name,
    model,
    microBatchSize,
    order,
    gpu,
    scalesLoss,
  } = workerData as ThreadData;
  const { inputScaling } = model;
  const arena = new Arena(memory);
  const sets = 'port' in samples ? undefined : residentSets(samples, inputScaling);
  const kept = sets ? { train: sets.train } : {};
  const asked = { model, microBatchSize, arena, seed: order.seed, ownLoss, ...kept, ...(gpu && { gpu }) };
  const engine = await createEngine(name, { ...asked, ...(scalesLoss && { scalesLoss }) });
  if (scalesLoss && !engine.setLossScale) throw fault('LOSS_NOT_SCALED', { engine: engine.name });
  const feed: Feed = sets
    ? new ResidentFeed(engine, { microBatchSize, order, ...sets })
    : new StreamedFeed(engine, samples as SampleStream, { microBatchSize, order, inputScaling }, systemClock);
  const metrics = wanted && (await (await import('./op-by-op/metrics.js')).Metrics.create(model, wanted));
  const runner = new MicroBatchRunner(engine, arena, { microBatchSize, feed, metrics });
  const run = async (job: ThreadJob): Promise<void> => {
    try {
      const begin = performance.now();
      const weights = new Float32Array(arena.buffer, job.weights.address, job.weights.length);
      const nodes = await runner.run({ ...job, weights }, (node) => answer({ node: sent(node) }));
      const computeSeconds = (performance.now() - begin) / 1e3;
      answer({
        nodes: nodes.map(sent),
        computeSeconds,
        inputSeconds: feed.takeWaitSeconds(),
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

function residentSets({ train, test }: ResidentImages, scaling: InputScaling) {
  return { train: imagesDataset(train, scaling), test: imagesDataset(test, scaling) };
}
