/**
 * What `lockstep plan` predicts and what `lockstep train` then does, turn by turn in the same minutes.
 *
 *     npm run build && node dist/bench/plan.js [--engines native,wasm] [--workers 1,2] [--cores 2] [--rounds 3] [--json]
 *         [--model lenet5] [--batch 256] [--steps 600]
 *
 * A round of each engine is one plan, then a run with each number of workers, all of one thread. A round with both engines takes
 * a minute. The error of a round compares the two that were measured side by side; the last lines have their medians.
 * `--cores 0` predicts as for workers with cores of their own.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import type { StepRecord } from '../src/core/events.js';
import { packageRoot } from '../src/core/paths.js';
import { median } from '../src/measure/exchange-figures.js';
import { scratchFolder } from './leave-nothing.js';

const { values: flags } = parseArgs({
  options: {
    engines: { type: 'string', default: 'native,wasm' },
    workers: { type: 'string', default: '1,2' },
    cores: { type: 'string', default: String(cpus().length) },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    model: { type: 'string', default: 'lenet5' },
    batch: { type: 'string', default: '256' },
    steps: { type: 'string', default: '600' },
  },
});
const folder = scratchFolder('plan');
const run = join(folder, 'run');
const kept = join(folder, 'plan.json');
const cores = flags.cores === '0' ? [] : ['--cores', flags.cores];
const training = ['--model', flags.model, '--optimizer', 'momentum', '--lr', '0.02', '--global-batch', flags.batch];
training.push('--steps', flags.steps, '--eval-every', `${flags.steps}steps`);

type Line = Readonly<Record<string, unknown>> & { readonly type: string };

async function lockstep(...args: readonly string[]): Promise<readonly Line[]> {
  const all = [join(packageRoot, 'bin/lockstep.js'), ...args, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, all, { maxBuffer: 2 ** 28 });
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Milliseconds of a step of rank 0: the mean, as images a second are made of. */
function phasesIn(lines: readonly Line[]): string {
  const steps = lines.filter(({ type }) => type === 'step') as unknown as readonly StepRecord[];
  const phases = ['compute', 'wait', 'exchange', 'update'] as const;
  const mean = (phase: (typeof phases)[number]): number =>
    steps.reduce((sum, { seconds }) => sum + seconds[phase], 0) / steps.length;
  return phases.map((phase) => `${phase} ${(mean(phase) * 1000).toFixed(2)}`).join(', ');
}

const errors = new Map<string, number[]>();
if (!flags.json) console.log(`${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.versions.node}`);
for (let round = 1; round <= Number(flags.rounds); round++) {
  for (const engine of flags.engines.split(',')) {
    await lockstep('plan', ...training, ...cores, '--engine', engine, '--out', kept);
    for (const workers of flags.workers.split(',')) {
      rmSync(run, { recursive: true, force: true });
      const where = ['--workers', workers, '--threads', '1', '--checkpoint-every', 'off', '--out', run];
      const steps = await lockstep('train', ...training, '--engine', engine, ...where, '--metrics-port', '0');
      const comparison = (await lockstep('plan', '--from', kept, '--compare', run, ...cores)).at(-1)!;
      const { predicted, imagesPerSecond, ratio } = comparison as unknown as Record<string, number>;
      const key = `${engine.padEnd(6)}  ${workers}`;
      errors.set(key, [...(errors.get(key) ?? []), (ratio! - 1) * 100]);
      if (flags.json) console.log(JSON.stringify({ round, engine, ...comparison }));
      else
        console.log(
          `round ${round}  ${key} ${workers === '1' ? 'worker ' : 'workers'}: predicted ${predicted!.toFixed(0).padStart(6)} images/s, measured ${imagesPerSecond!.toFixed(0).padStart(6)}, off by ${((ratio! - 1) * 100).toFixed(0).padStart(3)} %; ms a step: ${phasesIn(steps)}`,
        );
    }
  }
}
const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(1)} %`;
if (!flags.json)
  for (const [key, all] of errors)
    console.log(
      `${key}: off by ${signed(median(all))} in the median, ${signed(Math.min(...all))} to ${signed(Math.max(...all))}`,
    );
