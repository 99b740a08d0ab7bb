/**
 * `npm run sim`: whole clusters on simulated time, one for each seed, with seeded faults.
 *
 *     npm run sim -- --seeds 10000 [--first N]   prints the seeds that break an invariant, and what they break
 *     npm run sim -- --seed 42                   replays one, event by event
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { setUp } from './setup.mjs';

const seedsDefault = 10_000;
/** Seeds that are printed; the others are only counted. */
const printedMax = 20;

const load = () => import('../dist/test/sim/run-seeds.js');

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: String(seedsDefault) },
      first: { type: 'string', default: '0' },
      seed: { type: 'string' },
    },
  });
  for (const [flag, value] of Object.entries(values)) {
    if (/^\d+$/.test(value) && Number.isSafeInteger(Number(value)) && (flag !== 'seeds' || Number(value) > 0)) continue;
    process.stderr.write(`error: --${flag} ${value} is not a count or a seed\nremedy: for example --${flag} 42\n`);
    return 2;
  }
  setUp();
  if (values.seed !== undefined) return replayOne(Number(values.seed));
  const count = Number(values.seeds);
  const beginMs = performance.now();
  const threads = Math.max(1, Math.min(4, availableParallelism(), count));
  const parts = await Promise.all(
    Array.from({ length: threads }, (_, i) =>
      part({ first: Number(values.first) + i, count: count - i, stride: threads }),
    ),
  );
  const failures = parts.flatMap((summary) => summary.failures).sort((a, b) => a.seed - b.seed);
  const seconds = ((performance.now() - beginMs) / 1000).toFixed(1);
  const events = parts.reduce((sum, summary) => sum + summary.events, 0);
  console.log(`${count} seeds from ${values.first}, ${events} events, ${threads} threads, ${seconds} s`);
  console.log(`runs: ${inWords(parts.map(({ outcomes }) => outcomes))}`);
  console.log(`what happened in them: ${inWords(parts.map(({ counts }) => counts))}`);
  for (const { seed, message } of failures.slice(0, printedMax)) console.log(`seed ${seed}: ${message}`);
  console.log(failures.length === 0 ? 'no invariant broken' : `${failures.length} seeds break an invariant`);
  return failures.length === 0 ? 0 : 1;
}

async function replayOne(seed) {
  const { replay } = await load();
  const { lines, isBroken } = replay(seed);
  console.log(lines.join('\n'));
  return isBroken ? 1 : 0;
}

/** One thread's share of the seeds. */
function part(seeds) {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: seeds });
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

function inWords(tables) {
  const sums = new Map();
  for (const table of tables)
    for (const [what, count] of Object.entries(table)) sums.set(what, (sums.get(what) ?? 0) + count);
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}

if (isMainThread) {
  process.exitCode = await main();
} else {
  const { runSeeds, seedsFrom } = await load();
  const { first, count, stride } = workerData;
  parentPort.postMessage(runSeeds(seedsFrom(first, count, stride)));
}
