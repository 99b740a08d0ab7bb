/**
 * What a run loses when an engine stands still for a while, every so many steps: its neighbour computes its range then.
 *
 *     npm run build && node dist/bench/straggler.js [stall in ms, default 1000] [of what folder, default this one]
 *
 * Two workers train LeNet-5 (global batch 256, micro-batch 32, 400 steps), and the engine of one of them answers every 50th
 * job so late. Prints one JSON object: how long steps took by the record of rank 0, with the longest ten, and the run's time
 * and digest; first without the fault, then with it. Another folder, built, says what its sources make of the same faults.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PhaseSeconds } from '../src/core/events.js';
import { packageRoot } from '../src/core/paths.js';
import { median } from '../src/measure/exchange-figures.js';
import { engineFaults } from '../test/e2e/lockstep.js';
import { scratchFolder } from './leave-nothing.js';

const stallMs = Number(process.argv[2] ?? 1000);
const root = process.argv[3] ?? packageRoot;
const steps = 400;
const every = 50;

interface Line {
  readonly type: string;
  readonly coordinator?: string;
  readonly seconds?: PhaseSeconds;
  readonly weightsDigest?: string;
}

const folder = scratchFolder('straggler');
const local = ['--port', '0', '--metrics-port', '0', '--json', '--log-level', 'error'];
const spec = ['--global-batch', '256', '--micro-batch', '32', '--steps', String(steps), '--seed', '7'];
const saving = ['--checkpoint-every', 'off', '--eval-every', `${steps}steps`];

async function measured(name: string, faults: Readonly<Record<string, string>>): Promise<object> {
  const lockstep = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
    spawn(process.execPath, [join(root, 'bin', 'lockstep.js'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
    });
  const out = ['--workers', '2', '--out', join(folder, name)];
  const coordinator = lockstep(['coordinator', ...spec, ...saving, ...local, ...out]);
  const children = [coordinator];
  const stepMs: number[] = [];
  let beganMs = 0;
  let digest = '';
  try {
    for await (const text of createInterface({ input: coordinator.stdout })) {
      const line = JSON.parse(text) as Line;
      if (line.type === 'listening') {
        const to = [
          '--coordinator',
          line.coordinator!,
          '--exchange-port',
          '0',
          '--metrics-port',
          '0',
          '--threads',
          '1',
        ];
        for (const [i, environment] of [{}, faults].entries())
          children.push(lockstep(['worker', ...to, '--log-level', 'error', '--name', `worker-${i}`], environment));
      }
      if (line.type === 'step') {
        if (stepMs.length === 0) beganMs = performance.now();
        const { compute, wait, exchange, update } = line.seconds!;
        stepMs.push((compute + wait + exchange + update) * 1000);
      }
      digest = line.weightsDigest ?? digest;
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  const longest = stepMs.toSorted((a, b) => b - a).slice(0, 10);
  return {
    name,
    steps: stepMs.length,
    medianMs: Number(median(stepMs).toFixed(1)),
    longestMs: longest.map(Math.round),
    totalSeconds: Number(((performance.now() - beganMs) / 1000).toFixed(1)),
    digest: digest.slice(0, 12),
  };
}

const at = Array.from({ length: Math.floor(steps / every) - 1 }, (_, i) => (i + 1) * every).join(',');
const stalling = engineFaults({ STALL_ENGINE_AT: at, STALL_ENGINE_MS: String(stallMs) });
for (const [name, faults] of [
  ['undisturbed', engineFaults({})],
  ['stalling', stalling],
] as const)
  process.stdout.write(`${JSON.stringify(await measured(name, faults))}\n`);
