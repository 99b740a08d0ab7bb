/** The engine thread's program: it answers with its layout once, and then with one answer to each job. */
import { parentPort, workerData } from 'node:worker_threads';

import { Arena } from '../core/arena.js';
import { systemClock } from '../core/clock.js';
import { sentError } from '../core/sent-error.js';
import {
  endThread,
  type SentNode,
  type ThreadAnswer,
  type ThreadData,
  type ThreadJob,
} from './engine-thread-messages.js';
import type { ComputedNode } from './job.js';
import { JobRunner } from './job-runner.js';

const port = parentPort!;
const answer = (message: ThreadAnswer): void => port.postMessage(message);
const sent = ({ first, end, values }: ComputedNode): SentNode => ({
  first,
  end,
  values: { address: values.byteOffset, length: values.length },
});

try {
  const { memory, ...setup } = workerData as ThreadData;
  const arena = new Arena(memory);
  const jobs = await JobRunner.open({ ...setup, arena }, systemClock);
  const { engine } = jobs;
  const run = async (job: ThreadJob): Promise<void> => {
    try {
      const weights = new Float32Array(arena.buffer, job.weights.address, job.weights.length);
      const { nodes, ...rest } = await jobs.compute({ ...job, weights }, (node) => answer({ node: sent(node) }));
      answer({ ...rest, nodes: nodes.map(sent) });
      if (job.next) jobs.prefetch(job.next);
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
