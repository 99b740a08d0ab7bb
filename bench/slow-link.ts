/**
 * The exchange with each codec over a slow link: two network namespaces with a veth pair, limited to 1 Gbit/s in both
 * directions by `tc ... tbf`. Needs root, `ip` and `tc` (Debian: iproute2), and takes all of it away again.
 *
 *     npm run build && node dist/bench/slow-link.js [floats, default 26214400] [rounds, default 5] [rate, default 1gbit]
 *         [codecs, default f32,bf16,int8,topk]
 *
 * Prints a line a codec: median milliseconds a call, and how many times the speed of f32 that is. Codecs take turns, so
 * that a noisy minute meets all of them.
 */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../src/core/paths.js';
import { median } from '../src/measure/exchange-figures.js';
import { atEnd, scratchFolder } from './leave-nothing.js';

const [floats = '26214400', rounds = '5', rate = '1gbit', chosen = 'f32,bf16,int8,topk'] = process.argv.slice(2);
const codecs = chosen.split(',');
const names = [`lockstep-${process.pid}-a`, `lockstep-${process.pid}-b`] as const;
const addresses = ['10.77.0.1', '10.77.0.2'] as const;
const hosts = addresses.map((address) => `${address}:7171`).join(',');

/** Each side has a folder for temporary files of its own, or they would meet at a Unix socket there, beside the link. */
const folders = names.map((_, i) => scratchFolder(`slow-link-${'ab'[i]}`));

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
const inside = (name: string, ...command: string[]): void => ip('netns', 'exec', name, ...command);

function setUp(): void {
  for (const name of names) {
    ip('netns', 'add', name);
    atEnd(() => ip('netns', 'delete', name));
  }
  const [left, right] = names.map((_, i) => `ls${process.pid}${'ab'[i]}`) as [string, string];
  ip('link', 'add', left, 'netns', names[0], 'type', 'veth', 'peer', 'name', right, 'netns', names[1]);
  for (const [i, device] of [left, right].entries()) {
    const name = names[i]!;
    inside(name, 'ip', 'address', 'add', `${addresses[i]}/24`, 'dev', device);
    inside(name, 'ip', 'link', 'set', 'lo', 'up');
    inside(name, 'ip', 'link', 'set', device, 'up');
    inside(name, 'tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '256kb', 'latency', '50ms');
  }
}

/** One round: warm-up and timed calls of both ranks. @returns milliseconds a call */
async function measure(codec: string): Promise<number> {
  const bench = ['bench', 'exchange', '--hosts', hosts, '--floats', floats, '--rounds', '1', '--topology', 'mesh'];
  const outputs = await Promise.all(
    names.map((name, rank) => {
      const command = [join(packageRoot, 'bin', 'lockstep.js'), ...bench, '--codec', codec, '--json'];
      const program = ['netns', 'exec', name, process.execPath, ...command, '--rank', String(rank)];
      return promisify(execFile)('ip', program, { env: { ...process.env, TMPDIR: folders[rank] } });
    }),
  );
  return (JSON.parse(outputs[0]!.stdout.trim()) as { milliseconds: number }).milliseconds;
}

if (process.getuid?.() !== 0) {
  process.stderr.write('network namespaces need root: not measured\n');
  process.exit(1);
}
setUp();
const times = new Map<string, number[]>(codecs.map((codec) => [codec, []]));
for (let round = 0; round < Number(rounds); round++)
  for (const codec of codecs) times.get(codec)!.push(await measure(codec));
const exact = times.get('f32')!;
console.log(`${floats} floats, 2 workers, link of ${rate}, ${rounds} rounds, Node ${process.versions.node}`);
for (const [codec, own] of times) {
  const ratio = median(own.map((ms, i) => exact[i]! / ms));
  console.log(`${codec.padEnd(6)} ${median(own).toFixed(0).padStart(7)} ms   ${ratio.toFixed(2)} times f32`);
}
