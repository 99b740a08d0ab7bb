/**
 * How long running workers wait when another one joins that has to load a large state.
 *
 *     npm run build && node dist/bench/join.js [joins, default 3] [units, default 4736]
 *
 * A multilayer perceptron of two layers of so many units (4736: 26 million parameters) with Adam, whose state is three times
 * as large as its weights, on MNIST, global batch 16, micro-batch 8: two workers train, a third one joins, and when it is
 * in, the oldest one is asked to leave. Prints one JSON object a join: the usual time of a step before the joiner was started,
 * and of the step with which it comes in, from the last one without it: the step in hand that a Seal ends, then the pull, then a step.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';
import { median } from '../src/measure/exchange-figures.js';
import { scratchFolder } from './leave-nothing.js';

const joins = Number(process.argv[2] ?? 3);
const units = Number(process.argv[3] ?? 4736);
/** Steps between two changes: enough to know what one takes. */
const settledSteps = 8;

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly coordinator?: string;
  readonly joined?: readonly string[];
}

const dense = (name: string, size: number, activation: string) => ({
  class_name: 'Dense',
  config: { name, units: size, activation, use_bias: true },
});
const flat = { class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 28, 28, 1] } };
const layers = [flat, dense('first', units, 'relu'), dense('second', units, 'relu'), dense('last', 10, 'linear')];

const folder = scratchFolder('join');
const model = join(folder, 'large.json');
writeFileSync(
  model,
  JSON.stringify({ modelTopology: { class_name: 'Sequential', config: { name: 'large', layers } } }),
);

const lockstep = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
const local = ['--port', '0', '--metrics-port', '0', '--json', '--log-level', 'error', '--out', join(folder, 'run')];
const spec = ['--model', model, '--global-batch', '16', '--micro-batch', '8', '--steps', '100000'];
const saving = ['--checkpoint-every', 'off', '--eval-every', '100000steps'];
const counts = ['--workers', '2', '--min-workers', '1', '--max-workers', '3'];
const coordinator = lockstep(['coordinator', ...spec, ...saving, ...counts, ...local]);
const workers: ChildProcess[] = [];
let address = '';
const print = (figures: Record<string, number | undefined>): void =>
  void process.stdout.write(
    `${JSON.stringify(figures, (_, v: unknown) => (typeof v === 'number' ? Math.round(v) : v))}\n`,
  );
function addWorker(): void {
  const flags = ['--coordinator', address, '--exchange-port', '0', '--metrics-port', '0', '--log-level', 'error'];
  workers.push(lockstep(['worker', ...flags, '--name', `worker-${workers.length}`, '--threads', '1']));
}

const entries: number[] = [];
/** What the steps are about that come now. */
let phase: 'settling' | 'joining' | 'joined' | 'leaving' = 'settling';
let usual: number[] = [];
let lastMs: number | undefined;
for await (const text of createInterface({ input: coordinator.stdout! })) {
  const line = JSON.parse(text) as Line;
  if (line.type === 'listening') {
    address = line.coordinator!;
    for (let i = 0; i < 2; i++) addWorker();
  }
  if (line.type === 'membership') {
    phase = line.joined!.length > 0 ? 'joined' : 'settling';
    if (phase === 'settling') usual = [];
  }
  if (line.type !== 'step') continue;
  const nowMs = performance.now();
  const stepMs = nowMs - (lastMs ?? nowMs);
  lastMs = nowMs;
  if (phase === 'joined') {
    entries.push(stepMs);
    print({ step: line.step, usualMs: median(usual), entryMs: stepMs });
    if (entries.length === joins) break;
    phase = 'leaving';
    workers.shift()!.kill('SIGTERM'); //                             the newest copy of the state stays with others
  } else if (phase === 'settling' && usual.push(stepMs) > settledSteps) {
    phase = 'joining';
    addWorker();
  }
}
print({ joins, medianEntryMs: median(entries), worstEntryMs: Math.max(...entries) });
process.exit(); //                                                    the run goes on by itself
