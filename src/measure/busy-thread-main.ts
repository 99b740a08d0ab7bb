/** A thread that computes for as long as it is told: `BusyThread` is its other side. */
import { parentPort } from 'node:worker_threads';

import { systemClock } from '../core/clock.js';

const port = parentPort!;
/** Small enough for the fastest cache: what takes turns here is cores alone. */
const values = new Float64Array(512).fill(1);

port.on('message', (passes: number) => {
  const beginMs = systemClock.nowMs();
  for (let pass = 0; pass < passes; pass++)
    for (let i = 1; i < values.length; i++) values[i] = values[i]! * 0.5 + values[i - 1]! * 0.5;
  port.postMessage(systemClock.nowMs() - beginMs);
});
