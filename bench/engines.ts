/**
 * Forward and backward of one micro-batch on one thread: our engines and PyTorch, turn by turn in the same minutes.
 *
 *     npm run build && node dist/bench/engines.js [--python FILE] [--json]
 *         [--engines native,wasm] [--models lenet5,fast,lenet,mlp,untuned] [--batches 32,128,512] [--rounds 9]
 *
 * Every round measures every candidate a few times and keeps the median; the figure is the median of the rounds, and the
 * ratio the median of the rounds' ratios, so that a noisy minute meets both sides. PyTorch's figure is that of its better
 * memory layout. `--python` names an interpreter that has PyTorch (bench/peers/engine_step.py); without one it is not run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { packageRoot } from '../src/core/paths.js';
import type { EngineName } from '../src/engine/engine.js';
import { buildModelSpec } from '../src/engine/models/index.js';
import { trialStep } from '../src/engine/trial-step.js';
import './leave-nothing.js';
import { untuned } from './untuned.js';
import { median, timed } from './timing.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    engines: { type: 'string', default: 'native,wasm' },
    models: { type: 'string', default: 'lenet5,fast,lenet,mlp,untuned' },
    batches: { type: 'string', default: '32,128,512' },
    rounds: { type: 'string', default: '9' },
  },
});

/** Calls of one candidate in one round. */
const repeats = 5;

interface Peer {
  readonly version: string;
  /** Milliseconds of each memory layout. */
  measure(model: string, batch: number): Promise<Readonly<Record<string, number>>>;
  stop(): void;
}

/** @returns undefined where Python or PyTorch is missing */
async function startPeer(): Promise<Peer | undefined> {
  const child = spawn(flags.python, [join(packageRoot, 'bench/peers/engine_step.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (!(await started(child))) return undefined;
  const answer = async (): Promise<unknown> => {
    const line = await lines.next();
    return line.done ? undefined : JSON.parse(line.value);
  };
  const hello = (await answer()) as { version: string } | undefined;
  if (!hello) return undefined;
  return {
    version: hello.version,
    async measure(model, batch) {
      child.stdin.write(`${JSON.stringify({ model, batch, repeats })}\n`);
      const times = await answer();
      if (times === undefined) throw new Error('PyTorch ended in the middle');
      return times as Record<string, number>;
    },
    stop: () => child.stdin.end(),
  };
}

function started(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
}

/** Model and batch: milliseconds by candidate, one entry a round. */
interface Case {
  readonly model: string;
  readonly batch: number;
  readonly ours: ReadonlyMap<string, { readonly step: () => void | Promise<void>; readonly rounds: number[] }>;
  readonly theirs: number[];
}

const cases: Case[] = [];
for (const model of flags.models.split(',')) {
  for (const batch of flags.batches.split(',').map(Number)) {
    const ours = new Map<string, { step: () => void | Promise<void>; rounds: number[] }>();
    const spec = model === 'untuned' ? untuned() : buildModelSpec(model);
    for (const name of flags.engines.split(','))
      ours.set(name, { step: await trialStep(name as EngineName, spec, batch), rounds: [] });
    cases.push({ model, batch, ours, theirs: [] });
  }
}

const peer = await startPeer();
const rounds = Number(flags.rounds);
for (let round = -1; round < rounds; round++) {
  for (const { model, batch, ours, theirs } of cases) {
    for (const { step, rounds: kept } of ours.values()) {
      const spent = await timed(step, repeats);
      if (round >= 0) kept.push(spent); //                       the first round warms up
    }
    const times = peer && Object.values(await peer.measure(model, batch));
    if (times && round >= 0) theirs.push(Math.min(...times));
  }
}
peer?.stop();

if (!flags.json) {
  console.log(`${cpus()[0]!.model}, Node ${process.versions.node}, one thread; ${peer?.version ?? 'PyTorch: not run'}`);
  console.log(
    `${'model'.padEnd(9)}${'batch'.padStart(5)}  engine${'ms'.padStart(13)}${'images/s'.padStart(11)}   ratio to PyTorch`,
  );
}
for (const { model, batch, ours, theirs } of cases) {
  const print = (engine: string, milliseconds: number, ratio: number | undefined): void => {
    const imagesPerSecond = Math.round((batch / milliseconds) * 1e3);
    if (flags.json) console.log(JSON.stringify({ model, batch, engine, milliseconds, imagesPerSecond, ratio }));
    else
      console.log(
        `${model.padEnd(9)}${String(batch).padStart(5)}  ${engine.padEnd(10)}${milliseconds.toFixed(2).padStart(9)}` +
          `${String(imagesPerSecond).padStart(11)}   ${ratio === undefined ? 'not run' : ratio.toFixed(2)}`,
      );
  };
  for (const [engine, { rounds: spent }] of ours) {
    const ratio = peer && median(spent.map((ms, i) => theirs[i]! / ms));
    print(engine, median(spent), ratio);
  }
  if (peer) print('torch', median(theirs), 1);
}
