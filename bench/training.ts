/**
 * Training end to end, LeNet-5 on MNIST: `lockstep train` and PyTorch's DistributedDataParallel, turn by turn in the same
 * minutes.
 *
 *     npm run build && node dist/bench/training.js [--python FILE --data FOLDER] [--json]
 *         [--workers 1,2] [--engines wasm,native] [--batch 128] [--warm-up 2000] [--steps 2000] [--peer-steps 300]
 *         [--rounds 5] [--bind-to none|core] [--apart]
 *
 * Each worker computes `--batch` images a step on one thread, as PyTorch's does: one worker alone would have all cores
 * otherwise. Images/s are those of training alone, over `--steps` after `--warm-up`: V8 compiles a run's code during its first
 * seconds, on a core that a single worker leaves idle. PyTorch compiles nothing, ten steps warm it up. With `--warm-up 0` it is
 * the speed that a run reports. The ratio is the median of the rounds' ratios, so that a noisy minute meets both sides.
 * `--data` is a folder with the IDX files for PyTorch, and `--python` an interpreter that has it (bench/peers/ddp_lenet.py);
 * without them it is not run. Weak scaling is the speed of the last count of workers by that of the
 * first, each for one worker: with `--bind-to core` each of them, and each of PyTorch's processes, has one core and no more,
 * else a worker alone has its engine on one core and its exchange on another. The runs of one round that are compared for it
 * follow each other. `--apart` adds what the machine would allow: as many runs as the last count says, of one worker each, side
 * by side, that exchange nothing and wait for nobody.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import type { EvaluationRecord, StepRecord } from '../src/core/events.js';
import { packageRoot } from '../src/core/paths.js';
import { median } from '../src/measure/exchange-figures.js';
import { scratchFolder } from './leave-nothing.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    data: { type: 'string' },
    workers: { type: 'string', default: '1,2' },
    engines: { type: 'string', default: 'wasm,native' },
    batch: { type: 'string', default: '128' },
    'warm-up': { type: 'string', default: '2000' },
    steps: { type: 'string', default: '2000' },
    'peer-steps': { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
    'bind-to': { type: 'string', default: 'none' },
    apart: { type: 'boolean', default: false },
  },
});
const run = promisify(execFile);
const batch = Number(flags.batch);
const warmUp = Number(flags['warm-up']);
const folder = scratchFolder('training');

const phases = ['compute', 'wait', 'exchange', 'update'] as const;
type Phase = (typeof phases)[number];

/** Images a second, and where a step's time went on rank 0. */
interface Speed {
  readonly imagesPerSecond: number;
  readonly exchangeShare?: number;
}

async function ours(engine: string, workers: number, name = 'run'): Promise<Speed> {
  const out = join(folder, name);
  rmSync(out, { recursive: true, force: true });
  const steps = warmUp + Number(flags.steps);
  const args = ['train', '--engine', engine, '--threads', '1', '--workers', String(workers), '--steps', String(steps)];
  args.push('--global-batch', String(workers * batch), '--micro-batch', '32', '--checkpoint-every', 'off');
  args.push('--eval-every', `${steps}steps`, '--bind-to', flags['bind-to'], '--out', out);
  await run(process.execPath, [join(packageRoot, 'bin/lockstep.js'), ...args]);
  const records = linesOf<StepRecord | EvaluationRecord>(join(out, 'metrics.jsonl'));
  const measured = records.filter((record) => 'seconds' in record).filter(({ step }) => step > warmUp);
  const total = (phase: Phase): number => measured.reduce((sum, { seconds }) => sum + seconds[phase], 0);
  const [waited, all] = [total('wait') + total('exchange'), phases.map(total).reduce((sum, seconds) => sum + seconds)];
  return { imagesPerSecond: speedOf(out) * workers * batch, exchangeShare: waited / all };
}

/** So many runs of one worker at the same time, together. */
async function apart(engine: string, runs: number): Promise<Speed> {
  const speeds = await Promise.all(Array.from({ length: runs }, (_, i) => ours(engine, 1, `apart-${i}`)));
  return { imagesPerSecond: speeds.reduce((sum, { imagesPerSecond }) => sum + imagesPerSecond, 0) };
}

/** Steps a second after the warm-up. */
function speedOf(out: string): number {
  const { steps, imagesPerSecond, globalBatchSize } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
    readonly steps: number;
    readonly imagesPerSecond: number;
    readonly globalBatchSize: number;
  };
  if (warmUp === 0) return imagesPerSecond / globalBatchSize;
  const told = linesOf<{ readonly type: string; readonly time: string; readonly lastStep: number }>(
    join(out, 'events.jsonl'),
  ).filter(({ type }) => type === 'steps');
  const [first, last] = [told.find(({ lastStep }) => lastStep >= warmUp), told.at(-1)];
  if (!first || !last || last.lastStep - first.lastStep < steps / 8)
    throw new Error(`a run of ${steps} steps is over too soon to measure it after ${warmUp}: give more --steps`);
  return (last.lastStep - first.lastStep) / ((Date.parse(last.time) - Date.parse(first.time)) / 1000);
}

function linesOf<Line>(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** @returns undefined where Python, PyTorch or the data is missing */
async function theirs(workers: number): Promise<Speed | undefined> {
  if (flags.data === undefined) return undefined;
  const peer = join(packageRoot, 'bench/peers/ddp_lenet.py');
  const args = [peer, flags.data, String(workers), flags.batch, flags['peer-steps'], flags['bind-to']];
  try {
    return JSON.parse((await run(flags.python, args)).stdout) as Speed;
  } catch {
    return undefined;
  }
}

/** What the table calls runs that exchange nothing. */
const apartOf = (engine: string): string => `${engine}, apart`;
const counts = flags.workers.split(',').map(Number);
const engines = flags.engines.split(',');
const found = new Map<string, Speed[]>();
const keep = (who: string, workers: number, speed: Speed | undefined): void => {
  const key = `${who} ${workers}`;
  if (speed) found.set(key, [...(found.get(key) ?? []), speed]);
};
const most = counts.at(-1)!;
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const engine of engines) {
    for (const workers of counts) keep(engine, workers, await ours(engine, workers));
    if (flags.apart) keep(apartOf(engine), most, await apart(engine, most));
  }
  for (const workers of counts) keep('torch', workers, await theirs(workers));
}

const speeds = (who: string, workers: number): number[] =>
  (found.get(`${who} ${workers}`) ?? []).map(({ imagesPerSecond }) => imagesPerSecond);
if (!flags.json) {
  console.log(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.versions.node}, ${batch} images a worker`);
  console.log(
    'workers  who             images/s   ratio to PyTorch       weak scaling (rounds)   waiting and exchange, share of a step',
  );
}
for (const workers of counts) {
  const apartRows = flags.apart && workers === most ? engines.map(apartOf) : [];
  for (const who of [...engines, ...apartRows, 'torch']) {
    const all = speeds(who, workers);
    if (all.length === 0) {
      if (!flags.json) console.log(`${String(workers).padStart(7)}  ${who.padEnd(15)} not run`);
      continue;
    }
    const peer = speeds('torch', workers);
    const first = speeds(who.split(',')[0]!, counts[0]!);
    const ratio = peer.length === all.length ? median(all.map((speed, i) => speed / peer[i]!)) : undefined;
    const scalings = all.map((speed, i) => speed / workers / (first[i]! / counts[0]!));
    const scaling = median(scalings);
    const [least, largest] = [Math.min(...scalings), Math.max(...scalings)].map((each) => each.toFixed(2));
    const scalingInWords = scaling.toFixed(2) + (workers === counts[0] ? '' : ` (${least} to ${largest})`);
    const shares = (found.get(`${who} ${workers}`) ?? []).flatMap(({ exchangeShare }) => exchangeShare ?? []);
    const share = shares.length > 0 ? median(shares) : undefined;
    if (flags.json)
      console.log(
        JSON.stringify({ workers, who, imagesPerSecond: median(all), ratio, scaling, scalings, exchangeShare: share }),
      );
    else
      console.log(
        `${String(workers).padStart(7)}  ${who.padEnd(15)}${median(all).toFixed(0).padStart(9)}` +
          `${(ratio?.toFixed(2) ?? 'not run').padStart(19)}${scalingInWords.padStart(30)}` +
          `${share === undefined ? '' : `${(share * 100).toFixed(0)} %`.padStart(27)}`,
      );
  }
}
