import { parseHostPort } from '../../core/address.js';
import { systemClock } from '../../core/clock.js';
import { measureExchange, type BenchmarkOptions, type BenchmarkRow } from '../../measure/exchange-benchmark.js';
import { ExchangeParticipant, type ExchangeManner } from '../../measure/exchange-participant.js';
import { LocalExchange } from '../../measure/local-exchange.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';

export interface BenchExchangeOptions {
  readonly workers: string;
  readonly floats: string;
  readonly topology: string;
  readonly rounds: string;
  readonly checksum?: boolean;
  readonly exchangeMemory: string;
  readonly codec: string;
  /** `host:port` of every rank; then this process is one of them. */
  readonly hosts?: string;
  readonly rank?: string;
  readonly json?: boolean;
}

/** `lockstep bench exchange`: how fast gradients are summed, between processes here or between the hosts that were named. */
export async function run(given: BenchExchangeOptions, { stdout }: CommandContext): Promise<void> {
  const hosts = given.hosts?.split(',');
  const options: BenchmarkOptions = {
    workers: hosts?.length ?? wholeNumber('--workers', given.workers),
    floats: given.floats.split(',').map((text) => wholeNumber('--floats', text)),
    topologies: given.topology.split(',').map(topologyOf),
    rounds: wholeNumber('--rounds', given.rounds),
    codec: codecOf(given.codec),
  };
  const print = (row: BenchmarkRow): void =>
    void stdout.write(given.json ? `${JSON.stringify(row)}\n` : `${lineOf(row)}\n`);
  if (!given.json) stdout.write(`${heading}\n`);
  if (hosts) return asOneOf(hosts, given, options, print);
  const local = await LocalExchange.start(options.workers, mannerOf(given));
  try {
    for await (const row of measureExchange((task) => local.measure(task), options)) print(row);
  } finally {
    local.stop();
  }
}

/** On each of the hosts the same command runs, with its own rank; rank 0 prints. */
async function asOneOf(
  hosts: readonly string[],
  given: BenchExchangeOptions,
  options: BenchmarkOptions,
  print: (row: BenchmarkRow) => void,
): Promise<void> {
  const rank = Number(given.rank ?? NaN);
  const addresses = hosts.map((text) => {
    const address = parseHostPort(text);
    if (!address || address.port === 0) throw cliFault('BAD_USAGE', { message: `--hosts: ${text} is no HOST:PORT` });
    return address;
  });
  const own = addresses[rank];
  if (!own) throw cliFault('BAD_USAGE', { message: `--rank must be 0 to ${hosts.length - 1} with these --hosts` });
  const participant = new ExchangeParticipant(systemClock);
  try {
    await participant.start(own);
    const members = addresses.map(({ host, port }) => ExchangeParticipant.addressesAt({ host, port }));
    let fail!: (error: Error) => void;
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => undefined);
    await participant.connect(rank, members, mannerOf(given), fail);
    const measure = async (task: Parameters<typeof participant.measure>[0]) => [
      await Promise.race([participant.measure(task), failed]),
    ];
    for await (const row of measureExchange(measure, options)) if (rank === 0) print(row);
    // One more call, so that rank 0 knows all others to have their figures too. It goes first, then they do.
    const goodbye = measure({ what: 'all-reduce', floats: 1, topology: 'direct', calls: 1, warmUpCalls: 0 });
    if (rank === 0) await goodbye;
    else await goodbye.then(() => failed).catch(() => undefined);
  } finally {
    participant.stop();
  }
}

const heading =
  'workers      floats  topology        ms   alg MB/s   bus MB/s   CPU s/GiB   of plain TCP   bytes sent a call';

function lineOf(row: BenchmarkRow): string {
  return [
    String(row.workers).padStart(7),
    String(row.floats).padStart(12),
    `  ${row.topology.padEnd(8)}`,
    row.milliseconds.toFixed(2).padStart(8),
    row.algorithmMBps.toFixed(0).padStart(11),
    row.busMBps.toFixed(0).padStart(11),
    row.cpuSecondsPerGiB.toFixed(2).padStart(12),
    `${(row.shareOfTcp * 100).toFixed(0)} %`.padStart(15),
    row.sentBytes.toFixed(0).padStart(20),
  ].join('');
}

function mannerOf({ checksum = false, exchangeMemory }: BenchExchangeOptions): ExchangeManner {
  if (exchangeMemory !== 'auto' && exchangeMemory !== 'off')
    throw cliFault('BAD_USAGE', { message: `--exchange-memory: ${exchangeMemory} is not auto or off` });
  return { checksum, memory: exchangeMemory === 'auto' };
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw cliFault('BAD_USAGE', { message: `${flag}: ${text} is no whole number` });
  return value;
}

function codecOf(text: string): BenchmarkOptions['codec'] {
  if (text === 'f32') return undefined;
  if (text === 'bf16' || text === 'int8' || text === 'topk') return { name: text, ratio: 0.2, rounding: 'nearest' };
  throw cliFault('BAD_USAGE', { message: `--codec: ${text} is not f32, bf16, int8 or topk` });
}

function topologyOf(text: string): BenchmarkOptions['topologies'][number] {
  if (text === 'auto' || text === 'mesh' || text === 'direct') return text;
  throw cliFault('BAD_USAGE', { message: `--topology: ${text} is not auto, mesh or direct` });
}
