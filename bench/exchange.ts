/**
 * Sums of gradients between processes of this machine: ours and gloo's, turn by turn in the same minutes.
 *
 *     npm run build && node dist/bench/exchange.js [--python FILE] [--json] [--checksum] [--memory auto|off]
 *         [--workers 2,4] [--floats 44426,1048576,26214400] [--topology auto] [--rounds 7]
 *
 * Every round measures every candidate a few times and keeps the median; the figure is the median of all calls, and the
 * ratio the median of the rounds' ratios, so that a noisy minute meets both sides. `--python` names an interpreter that has
 * PyTorch (bench/peers/gloo_allreduce.py); without one gloo is not run. `lockstep bench exchange` measures ours alone, also
 * between machines.
 */
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import type { Topology } from '../src/collective/owner-map.js';
import { packageRoot } from '../src/core/paths.js';
import { measureExchange } from '../src/measure/exchange-benchmark.js';
import { LocalExchange } from '../src/measure/local-exchange.js';
import './leave-nothing.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    checksum: { type: 'boolean', default: false },
    memory: { type: 'string', default: 'auto' },
    python: { type: 'string', default: 'python3' },
    workers: { type: 'string', default: '2,4' },
    floats: { type: 'string', default: '44426,1048576,26214400' },
    topology: { type: 'string', default: 'auto' },
    rounds: { type: 'string', default: '7' },
  },
});

interface GlooAnswer {
  readonly milliseconds: readonly number[];
  readonly cpuSeconds: number;
}

interface Gloo {
  readonly version: string;
  measure(floats: number, calls: number): Promise<GlooAnswer>;
  stop(): void;
}

/** @returns undefined where Python or PyTorch is missing */
async function startGloo(workers: number): Promise<Gloo | undefined> {
  const child = spawn(flags.python, [join(packageRoot, 'bench/peers/gloo_allreduce.py'), String(workers)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined); //                              no such program: its output ends at once
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async <T>(): Promise<T | undefined> => {
    const line = await lines.next();
    return line.done ? undefined : (JSON.parse(line.value) as T);
  };
  const hello = await answer<{ readonly version: string }>();
  if (!hello) return undefined;
  return {
    version: hello.version,
    async measure(floats, calls) {
      child.stdin.write(`${JSON.stringify({ floats, calls })}\n`);
      const times = await answer<GlooAnswer>();
      if (!times) throw new Error('gloo ended in the middle');
      return times;
    },
    stop: () => child.stdin.end(),
  };
}

let isFirst = true;
for (const workers of flags.workers.split(',').map(Number)) {
  const gloo = await startGloo(workers);
  if (isFirst && !flags.json) {
    console.log(
      `${cpus()[0]!.model}, ${cpus().length} cores, Node ${process.versions.node}; ${gloo?.version ?? 'gloo: not run'}`,
    );
    console.log(
      'workers     floats topology       ms  CPU s/GiB  of plain TCP   gloo ms  CPU s/GiB   ms to gloo (smaller is better)',
    );
  }
  isFirst = false;
  const local = await LocalExchange.start(workers, { checksum: flags.checksum, memory: flags.memory !== 'off' });
  let cpuSeconds = 0;
  let bytes = 0;
  let glooCpuSecondsPerGiB = NaN;
  const peer =
    gloo &&
    (async (floats: number, calls: number): Promise<readonly number[]> => {
      const answer = await gloo.measure(floats, calls);
      cpuSeconds += answer.cpuSeconds;
      bytes += floats * 4 * calls;
      return answer.milliseconds;
    });
  const options = {
    workers,
    floats: flags.floats.split(',').map(Number),
    topologies: flags.topology.split(',') as (Topology | 'auto')[],
    rounds: Number(flags.rounds),
  };
  for await (const row of measureExchange((task) => local.measure(task), options, peer)) {
    if (bytes > 0) glooCpuSecondsPerGiB = cpuSeconds / (bytes / 2 ** 30); //  gloo's turns are those of all topologies
    [cpuSeconds, bytes] = [0, 0];
    if (flags.json) {
      console.log(JSON.stringify({ ...row, ...(row.peer ? { glooCpuSecondsPerGiB } : {}) }));
      continue;
    }
    const theirs = row.peer
      ? `${row.peer.milliseconds.toFixed(2).padStart(10)}${glooCpuSecondsPerGiB.toFixed(2).padStart(11)}${row.peer.ratio.toFixed(2).padStart(10)}`
      : '   not run';
    console.log(
      `${String(workers).padStart(7)}${String(row.floats).padStart(11)} ${row.topology.padEnd(9)}` +
        `${row.milliseconds.toFixed(2).padStart(8)}${row.cpuSecondsPerGiB.toFixed(2).padStart(11)}` +
        `${`${(row.shareOfTcp * 100).toFixed(0)} %`.padStart(14)}${theirs}`,
    );
  }
  local.stop();
  gloo?.stop();
}
