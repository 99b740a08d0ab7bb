/**
 * Test accuracy with each codec, and with local steps, beside exact training: MNIST, LeNet-5, mean over seeds.
 *
 *     npm run build && node dist/bench/accuracy.js [--epochs 3] [--seeds 3] [--workers 2] [--only bf16,int8]
 *
 * One line a variant: mean and range of the accuracy after the last epoch, the difference to f32 in points, and whether all
 * that is promised of a run holds: the report says that it is not bit-exact, and why.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { packageRoot } from '../src/core/paths.js';
import { scratchFolder } from './leave-nothing.js';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '3' },
    seeds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '2' },
    only: { type: 'string' },
  },
});

const variants: Readonly<Record<string, readonly string[]>> = {
  f32: [],
  bf16: ['--codec', 'bf16'],
  int8: ['--codec', 'int8'],
  'int8 stochastic': ['--codec', 'int8', '--codec-rounding', 'stochastic'],
  'topk 20 %': ['--codec', 'topk', '--topk-ratio', '0.2'],
  'topk 10 %': ['--codec', 'topk', '--topk-ratio', '0.1'],
  'topk 1 %': ['--codec', 'topk', '--topk-ratio', '0.01'],
  'sync-every 4': ['--sync-every', '4'],
  'sync-every 16': ['--sync-every', '16'],
  'sync-every 16 bf16': ['--sync-every', '16', '--codec', 'bf16'],
};

interface Report {
  readonly testAccuracy: number;
  readonly bitExact: boolean;
  readonly bitExactReason?: string;
  readonly imagesPerSecond: number;
}

/** Exit code of a run that lost its workers, as on a machine that is too busy: running it again helps. */
const clusterLost = 3;

async function run(flags: readonly string[], seed: number, triesLeft = 4): Promise<Report> {
  const folder = scratchFolder('accuracy');
  try {
    const { workers, epochs } = values;
    const spec = ['--workers', workers, '--epochs', epochs, '--seed', String(seed), ...flags];
    const local = ['--json', '--metrics-port', '0', '--checkpoint-every', 'off', '--out', join(folder, 'run')];
    const command = [join(packageRoot, 'bin', 'lockstep.js'), 'train', ...spec, ...local];
    const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 28 });
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Report;
  } catch (error) {
    if ((error as { code?: number }).code !== clusterLost || triesLeft === 0) throw error;
    return await run(flags, seed, triesLeft - 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const only = values.only?.split(',');
const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
let exact: number | undefined;
console.log(
  `${values.epochs} epochs, ${values.workers} workers, seeds 1 to ${values.seeds}, Node ${process.versions.node}`,
);
for (const [name, flags] of Object.entries(variants)) {
  if (only && name !== 'f32' && !only.includes(name)) continue;
  const reports: Report[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) reports.push(await run(flags, seed));
  const accuracies = reports.map(({ testAccuracy }) => testAccuracy * 100);
  exact ??= mean(accuracies);
  const difference = (mean(accuracies) - exact).toFixed(2).padStart(6);
  const range = `${Math.min(...accuracies).toFixed(2)}..${Math.max(...accuracies).toFixed(2)}`;
  const claim = reports[0]!.bitExactReason ?? 'bit-exact';
  console.log(`${name.padEnd(19)} ${mean(accuracies).toFixed(2)} %  ${range}  ${difference} points  ${claim}`);
}
