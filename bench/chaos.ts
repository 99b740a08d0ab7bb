/**
 * Real processes, real signals: runs in which workers are killed, stopped, asked to leave and added, and the coordinator is
 * killed, at seeded steps, all of which must end with the weights of the run that nobody disturbed.
 *
 *     npm run build && node dist/bench/chaos.js [runs, default 50] [first seed, default 0]
 *
 * LeNet-5 on MNIST, global batch 256, micro-batch 32, 3 workers, 150 steps, five faults a run; in every other run the
 * cluster waits for a new worker whenever one is lost. Prints one JSON object a run and a summary; ends with exit code 1 if
 * a run failed, a digest differs, or a fault did not fire. What was left of such a run is kept: its folder is in its line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf, play, type ChaosResult } from '../test/e2e/chaos.js';
import './leave-nothing.js';

const steps = 150;
const workers = 3;
const folder = mkdtempSync(join(tmpdir(), 'lockstep-chaos-'));
const spec = ['--steps', String(steps), '--global-batch', '256', '--micro-batch', '32', '--seed', '7'];

const placeOf = (name: string) => ({ out: join(folder, name, 'run'), logs: join(folder, name, 'logs') });

const runs = Number(process.argv[2] ?? 50);
const firstSeed = Number(process.argv[3] ?? 0);
const undisturbed = { spec, steps, workers: 1, minWorkers: 1, ...placeOf('undisturbed'), faults: [] };
const { digest: expected } = await play(undisturbed);
const results: (ChaosResult & { readonly seed: number; readonly isGood: boolean })[] = [];
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  const faults = faultsOf(seed, steps);
  const minWorkers = seed % 2 === 0 ? 1 : workers;
  const name = `run-${seed}`;
  const result = await play({ spec, steps, workers, minWorkers, ...placeOf(name), faults });
  const isGood = expected !== undefined && result.digest === expected && result.unfired.length === 0;
  results.push({ seed, isGood, ...result });
  if (isGood) rmSync(join(folder, name), { recursive: true });
  const { digest, joined, restored } = result;
  const line = {
    seed,
    faults: faults.map(({ step, kind }) => `${kind}@${step}`),
    minWorkers,
    unfired: result.unfired.length,
    joined,
    restored,
    digest: digest?.slice(0, 12),
    kept: isGood ? undefined : join(folder, name),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
const failed = results.filter(({ isGood }) => !isGood);
const sum = (of: (result: ChaosResult) => number) => results.reduce((total, result) => total + of(result), 0);
const summary = {
  runs,
  same: runs - failed.length,
  failedSeeds: failed.map(({ seed }) => seed),
  joined: sum(({ joined }) => joined),
  coordinatorsRestored: sum(({ restored }) => restored),
  weightsDigest: expected,
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
if (failed.length > 0) process.exitCode = 1;
else rmSync(folder, { recursive: true });
