/**
 * Real processes, real signals: runs in which workers are killed, stopped and added at seeded steps, all of which must
 * end with the weights of the run that nobody disturbed.
 *
 *     npm run build && node dist/bench/chaos.js [runs, default 50] [first seed, default 0]
 *
 * LeNet-5 on MNIST, global batch 256, micro-batch 32, 3 workers, 150 steps, four faults a run. Prints one JSON object a
 * run and a summary; ends with exit code 1 if a run failed, a digest differs, or a fault did not fire.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';
import { randomStream } from '../src/core/random.js';

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly coordinator?: string;
  readonly weightsDigest?: string;
  readonly code?: string;
}

interface Fault {
  readonly step: number;
  readonly kind: 'kill' | 'stop' | 'leave' | 'add';
}

const steps = 150;
const startWorkers = 3;
const folder = mkdtempSync(join(tmpdir(), 'lockstep-chaos-'));
const spec = ['--steps', String(steps), '--global-batch', '256', '--micro-batch', '32', '--seed', '7', '--json'];

const lockstep = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'ignore'] });

/** Four faults at steps that differ; workers that come replace those that go, so that somebody is always left. */
function faultsOf(seed: number): readonly Fault[] {
  const random = randomStream(seed, 'chaos');
  const stepsOfFaults = new Set<number>();
  while (stepsOfFaults.size < 4) stepsOfFaults.add(5 + (random.uint32() % (steps - 45)));
  const leaving = ['kill', 'kill', 'stop', 'leave'] as const;
  return [...stepsOfFaults]
    .sort((a, b) => a - b)
    .map((step, i) => ({ step, kind: i % 2 === 1 ? 'add' : leaving[random.uint32() % leaving.length]! }));
}

async function run(
  seed: number | undefined,
): Promise<{ readonly digest: string | undefined; readonly unfired: number }> {
  const out = join(folder, `run-${seed ?? 'undisturbed'}`);
  const flags = ['--workers', String(startWorkers), '--port', '0', '--metrics-port', '0', '--out', out];
  const coordinator = lockstep(['coordinator', ...spec, ...flags]);
  const workers: ChildProcess[] = [];
  const stopped: ChildProcess[] = [];
  const faults = seed === undefined ? [] : [...faultsOf(seed)];
  let address = '';
  let last: Line | undefined;
  const addWorker = (): void => {
    const name = `worker-${workers.length + stopped.length}`;
    workers.push(
      lockstep(['worker', '--coordinator', address, '--exchange-port', '0', '--metrics-port', '0', '--name', name]),
    );
  };
  const fire = ({ kind, step }: Fault): void => {
    if (kind === 'add') return addWorker();
    const [victim] = workers.splice(step % workers.length, 1);
    victim!.kill(kind === 'kill' ? 'SIGKILL' : kind === 'stop' ? 'SIGSTOP' : 'SIGTERM');
    if (kind === 'stop') stopped.push(victim!);
  };
  for await (const text of createInterface({ input: coordinator.stdout! })) {
    last = JSON.parse(text) as Line;
    if (last.type === 'listening') {
      address = last.coordinator!;
      for (let i = 0; i < startWorkers; i++) addWorker();
    }
    while (last.type === 'step' && faults[0] && last.step! >= faults[0].step) fire(faults.shift()!);
  }
  for (const worker of stopped) worker.kill('SIGKILL');
  for (const worker of workers) worker.kill('SIGTERM'); //             those that came too late to join
  return { digest: last?.weightsDigest, unfired: faults.length };
}

const runs = Number(process.argv[2] ?? 50);
const firstSeed = Number(process.argv[3] ?? 0);
try {
  const { digest: expected } = await run(undefined);
  const failed: number[] = [];
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const { digest, unfired } = await run(seed);
    const isSame = digest !== undefined && digest === expected && unfired === 0;
    if (!isSame) failed.push(seed);
    const faults = faultsOf(seed).map(({ step, kind }) => `${kind}@${step}`);
    process.stdout.write(`${JSON.stringify({ seed, faults, unfired, digest: digest?.slice(0, 12), isSame })}\n`);
  }
  process.stdout.write(
    `${JSON.stringify({ runs, same: runs - failed.length, failedSeeds: failed, weightsDigest: expected })}\n`,
  );
  if (failed.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
