/**
 * What a user's model costs over the built-in one of the same shape.
 *
 *     npm run build && node dist/bench/own-model.js [pairs, default 5] [steps, default 600]
 *
 * LeNet-5 by its name, and written out in the module of a run, on one worker and MNIST, batches of 128. The two take turns, and
 * either is first in every other pair, so that what else the machine does meets both. Prints one JSON object: medians of steps
 * a second, the median of the pairs' ratios, own to built in, with its extremes, and whether all weights had the same bits.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '../src/index.js';
import { scratchFolder } from './leave-nothing.js';
import { ownLenet5 } from './own-lenet5.js';

const [pairs, steps] = [process.argv[2] ?? '5', process.argv[3] ?? '600'].map(Number) as [number, number];
const globalBatchSize = 128;
const folder = scratchFolder('own-model');
const digests = new Set<string>();

async function stepsPerSecond(kind: 'builtIn' | 'own', turn: number): Promise<number> {
  const options = { globalBatchSize, microBatchSize: 32, steps, workers: 1, seed: 1, evaluateEvery: `${steps}steps` };
  const run = { model: 'lenet5', data: 'mnist' } as const;
  const { result } = train(kind === 'own' ? module : run, { ...options, out: join(folder, `${kind}-${turn}`) });
  const { report } = await result;
  digests.add(report.weightsDigest);
  return report.imagesPerSecond / globalBatchSize;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
};

const module = join(folder, 'lenet5.mjs');
writeFileSync(module, ownLenet5('mnist'));
const speeds: Record<'builtIn' | 'own', number[]> = { builtIn: [], own: [] };
for (let turn = 0; turn < pairs; turn++)
  for (const kind of turn % 2 === 0 ? (['builtIn', 'own'] as const) : (['own', 'builtIn'] as const))
    speeds[kind].push(await stepsPerSecond(kind, turn));
const ratios = speeds.own.map((own, i) => own / speeds.builtIn[i]!);
const rounded = (value: number): number => Number(value.toPrecision(4));
const result = {
  ...{ pairs, steps, isSameDigest: digests.size === 1 },
  builtInStepsPerSecond: rounded(median(speeds.builtIn)),
  ownStepsPerSecond: rounded(median(speeds.own)),
  ratio: rounded(median(ratios)),
  ratios: [Math.min(...ratios), Math.max(...ratios)].map(rounded),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
