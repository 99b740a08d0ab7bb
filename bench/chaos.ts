/**
 * Real processes, real signals: runs in which workers are killed, stopped, asked to leave and added, and the coordinator is
 * killed, at seeded steps, all of which must end with the weights of the run that nobody disturbed.
 *
 *     npm run build && node dist/bench/chaos.js [runs, default 50] [first seed, default 0]
 *
 * LeNet-5 on MNIST, global batch 256, micro-batch 32, 3 workers, 150 steps, five faults a run; in every other run the
 * cluster waits for a new worker whenever one is lost. Prints one JSON object a run and a summary; ends with exit code 1 if
 * a run failed, a digest differs, or a fault did not fire.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf, play, type ChaosResult } from '../test/e2e/chaos.js';

const steps = 150;
const workers = 3;
const folder = mkdtempSync(join(tmpdir(), 'lockstep-chaos-'));
const spec = ['--steps', String(steps), '--global-batch', '256', '--micro-batch', '32', '--seed', '7'];

const runs = Number(process.argv[2] ?? 50);
const firstSeed = Number(process.argv[3] ?? 0);
try {
  const undisturbed = { spec, steps, workers: 1, minWorkers: 1, out: join(folder, 'undisturbed'), faults: [] };
  const { digest: expected } = await play(undisturbed);
  const results: (ChaosResult & { readonly seed: number })[] = [];
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const faults = faultsOf(seed, steps);
    const minWorkers = seed % 2 === 0 ? 1 : workers;
    const result = await play({ spec, steps, workers, minWorkers, out: join(folder, `run-${seed}`), faults });
    results.push({ seed, ...result });
    const { digest, joined, restored } = result;
    const unfired = result.unfired.length;
    const told = faults.map(({ step, kind }) => `${kind}@${step}`);
    process.stdout.write(
      `${JSON.stringify({ seed, faults: told, minWorkers, unfired, joined, restored, digest: digest?.slice(0, 12) })}\n`,
    );
  }
  const failed = results.filter(({ digest, unfired }) => digest !== expected || unfired.length > 0);
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
} finally {
  rmSync(folder, { recursive: true, force: true });
}
