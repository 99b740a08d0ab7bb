/**
 * Whether the live page stays fast over a long run: 100,000 steps of 64 workers, as its own server tells them, in a real
 * browser. What the page does for one update, by the browser's own count, and what it holds, after more and more steps.
 *
 *     npm run long-run          in web/, lockstep built before
 *
 * The steps are made up and time is made to pass: nothing is trained, and nobody waits for half a second between updates.
 */

import { createServer } from 'node:http';
import { cpus } from 'node:os';
import { chromium } from 'playwright-core';

const { Audience } = await import('../../dist/src/live/audience.js');
const { readPage } = await import('../../dist/src/live/page.js');
const { Recorder } = await import('../../dist/src/live/recorder.js');
const { liveRoutes } = await import('../../dist/src/live/routes.js');
const { FakeClock } = await import('../../dist/test/unit/fake-clock.js');

const steps = 100_000;
/** At 7 ms a step. */
const stepsOfUpdate = 70;
/** Updates over which is measured, at the end of each of these stretches. */
const updates = 50;
const stretches = [stepsOfUpdate * updates, 10_000, 30_000, 60_000, steps];

const facts = {
  out: 'o',
  model: 'lenet5',
  parameterCount: 44_426,
  engine: 'wasm',
  globalBatchSize: 256,
  microBatchSize: 4,
  stepsPerEpoch: 234,
  epochsTotal: 428,
  optimizer: 'adam',
  learningRate: 0.001,
  warmupSteps: 0,
};

const clock = new FakeClock();
const recorder = new Recorder({ runId: 'long', config: {}, clock, wallTimeMs: () => 1e12 + clock.nowMs() });
const audience = new Audience(recorder, clock);
const route = liveRoutes({ recorder, audience, page: readPage(), workers: () => [] });
const server = createServer((request, response) => {
  if (!route(request, response)) response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  await watch();
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}

async function watch() {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const measured = async () =>
    Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const ids = Array.from({ length: 64 }, (_, i) => `worker-${i}-00000a`);
  recorder.began(1, ids, 0);
  recorder.observe({ type: 'started', runId: 'long', ...facts, worldSize: 64, stepsTotal: steps });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);

  console.log(`${cpus()[0]?.model}, Chromium ${browser.version()}, 64 workers, an update for ${stepsOfUpdate} steps`);
  let [step, before] = [0, undefined];
  const rows = [];
  for (const end of stretches) {
    while (step < end) {
      for (let i = 0; i < stepsOfUpdate && step < end; i++) train((step += 1), ids);
      if (end - step < stepsOfUpdate * updates) before ??= await measured();
      clock.advance(500);
      await page.waitForFunction((least) => Number(document.body.dataset.step) >= least, step);
    }
    const after = await measured();
    await devtools.send('HeapProfiler.collectGarbage');
    const { JSHeapUsedSize: heap, Nodes: nodes } = await measured();
    const count = Math.min(updates, Math.ceil(end / stepsOfUpdate));
    const ms = ((after.TaskDuration - before.TaskDuration) / count) * 1000;
    rows.push({ ms, heap, nodes });
    console.log(
      `after ${step} steps: ${ms.toFixed(1)} ms of the page for an update, ${(heap / 2 ** 20).toFixed(1)} MiB of heap, ${nodes} nodes`,
    );
    before = undefined;
  }
  const [first, last] = [rows[1], rows.at(-1)];
  if (last.nodes > 1.5 * first.nodes || last.heap > 2 * first.heap || last.ms > 3 * first.ms)
    throw new Error('the page grows or slows with the number of steps');
}

/** One step of all, with an evaluation now and then. */
function train(step, ids) {
  const seconds = { compute: 0.005, wait: 0.0005, exchange: 0.001, update: 0.0005 };
  const numbers = { epoch: Math.floor(step / 234), loss: 1 / Math.sqrt(step) + (step % 7) / 100, accuracy: 0.9 };
  const sizes = { globalBatchSize: 256, sampleCount: 256, worldSize: 64, generation: 1 };
  recorder.observe({
    type: 'step',
    step,
    ...numbers,
    ...sizes,
    learningRate: 0.001,
    gradientNorm: 1,
    skipped: false,
    seconds,
    imagesPerSecond: 30_000 + (step % 100),
  });
  if (step % 234 === 0)
    recorder.observe({ type: 'evaluation', step, epoch: step / 234, testLoss: 0.1, testAccuracy: 0.98, best: false });
  if (step % stepsOfUpdate !== 0) return;
  const timings = Array.from({ length: 6 }, (_, i) => ({
    step: step - 5 + i,
    beginMs: (step - 5 + i) * 7,
    seconds,
    slowestRank: step % 64,
  }));
  for (const id of ids) recorder.heard(id, step * 7, step * 7, timings);
}
