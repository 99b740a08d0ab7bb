/**
 * Memory of a worker over a long run: resident set and live tensors, sampled from its own /metrics.
 *
 *     npm run build && node dist/bench/memory.js [steps, default 2000] [model, default lenet5]
 *
 * Prints one JSON object: the largest and the last resident set (MB), its slope over the second half of the run
 * (bytes a step, least squares), and the smallest and largest count of tensors.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../src/core/paths.js';
import { scratchFolder } from './leave-nothing.js';

interface Sample {
  readonly steps: number;
  readonly residentBytes: number;
  readonly tensors: number;
}

const [steps = '2000', model = 'lenet5'] = process.argv.slice(2);
const sampleMs = 200;
const folder = scratchFolder('memory');
const lockstep = (args: readonly string[]) =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

const spec = ['--workers', '1', '--steps', steps, '--model', model, '--global-batch', '256', '--micro-batch', '64'];
const local = ['--port', '0', '--metrics-port', '0', '--json', '--out', join(folder, 'run')];
const coordinator = lockstep(['coordinator', ...spec, ...local]);
const ended = once(coordinator, 'exit');
const address = await firstMatch(coordinator.stdout, /"coordinator":"([^"]+)"/);
const worker = lockstep(['worker', '--coordinator', address, '--metrics-port', '0', '--exchange-port', '0']);
const url = await firstMatch(worker.stderr, /metrics on (http:\S+\/metrics)/);
const samples = await sampleUntilGone(url);
const [code] = (await ended) as [number];
if (code !== 0) throw new Error(`the run ended with exit code ${code}`);
process.stdout.write(`${JSON.stringify(summary(samples))}\n`);

/** The first group of the first line that matches; goes on reading, so that the process never waits for us. */
async function firstMatch(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  const lines = createInterface({ input: stream });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const match = pattern.exec(line);
      if (match) resolve(match[1]!.replace('"', ''));
    });
  });
}

async function sampleUntilGone(url: string): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (;;) {
    const text = await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    );
    if (text === undefined) return samples.filter(({ steps: done }) => done > 0);
    const valueOf = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
    samples.push({
      steps: valueOf('lockstep_worker_steps_total'),
      residentBytes: valueOf('process_resident_memory_bytes'),
      tensors: valueOf('lockstep_worker_tensors'),
    });
    await sleep(sampleMs);
  }
}

function summary(samples: readonly Sample[]) {
  const secondHalf = samples.filter(({ steps: done }) => done >= Number(steps) / 2);
  const meanSteps = mean(secondHalf.map((s) => s.steps));
  const meanBytes = mean(secondHalf.map((s) => s.residentBytes));
  const covariance = mean(secondHalf.map((s) => (s.steps - meanSteps) * (s.residentBytes - meanBytes)));
  const variance = mean(secondHalf.map((s) => (s.steps - meanSteps) ** 2));
  const tensors = samples.map((s) => s.tensors);
  return {
    model,
    steps: Number(steps),
    samples: samples.length,
    residentMBMax: Math.round(Math.max(...samples.map((s) => s.residentBytes)) / 1e6),
    residentMBLast: Math.round(samples.at(-1)!.residentBytes / 1e6),
    slopeBytesPerStep: Math.round(covariance / variance),
    tensorsMin: Math.min(...tensors),
    tensorsMax: Math.max(...tensors),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
