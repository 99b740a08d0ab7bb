/**
 * Time from `kill -9` of a worker to the next step that the others finish.
 *
 *     npm run build && node dist/bench/recovery.js [kills, default 10] [workers, default 3]
 *
 * Each kill is a run of its own: LeNet-5 on MNIST, global batch 256. The clock starts at the kill and stops when the
 * coordinator tells of a step of the next generation, so it includes the up to 50 ms that a worker collects its reports.
 * Prints one JSON object: median and worst in milliseconds, and how many finished steps were lost (told twice, or never).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly generation?: number;
  readonly coordinator?: string;
}

const kills = Number(process.argv[2] ?? 10);
const worldSize = Number(process.argv[3] ?? 3);
/** When to kill: any step in the middle will do, another one each time. */
const killAfterStep = (index: number) => 60 + 7 * index;
const steps = '600';

const lockstep = (args: readonly string[]) =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'ignore'] });

const milliseconds: number[] = [];
let lostSteps = 0;
for (let index = 0; index < kills; index++) {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-recovery-'));
  const out = join(folder, 'run');
  const spec = ['--workers', String(worldSize), '--steps', steps, '--global-batch', '256', '--micro-batch', '32'];
  const coordinator = lockstep(['coordinator', ...spec, '--port', '0', '--metrics-port', '0', '--json', '--out', out]);
  const workers: ReturnType<typeof lockstep>[] = [];
  let killedMs: number | undefined;
  let recovered = false;
  for await (const text of createInterface({ input: coordinator.stdout })) {
    const line = JSON.parse(text) as Line;
    if (line.type === 'listening') {
      const flags = ['--coordinator', line.coordinator!, '--exchange-port', '0', '--metrics-port', '0'];
      for (let i = 0; i < worldSize; i++) workers.push(lockstep(['worker', ...flags, '--name', `worker-${i}`]));
    }
    if (line.type !== 'step') continue;
    if (killedMs === undefined && line.step! >= killAfterStep(index)) {
      workers[index % worldSize]!.kill('SIGKILL');
      killedMs = performance.now();
    } else if (killedMs !== undefined && !recovered && line.generation! > 1) {
      recovered = true;
      milliseconds.push(performance.now() - killedMs);
    }
  }
  if (!recovered) throw new Error(`run ${index} did not go on after the kill`);
  const told = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const tellsOfSteps = told.filter((text) => !text.includes('"testLoss"')).length;
  lostSteps += Math.abs(tellsOfSteps - Number(steps));
  rmSync(folder, { recursive: true });
}
process.stdout.write(`${JSON.stringify({ workers: worldSize, ...spread(milliseconds), lostSteps })}\n`);

function spread(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const rounded = (at: number) => Math.round(sorted[at]!);
  return {
    kills: sorted.length,
    medianMs: rounded(Math.floor(sorted.length / 2)),
    worstMs: rounded(sorted.length - 1),
  };
}
