/**
 * What TLS costs the exchange: two workers as processes of this machine that meet at their addresses on loopback, with TLS
 * and without, in turns.
 *
 *     npm run build && node dist/bench/tls.js [rounds, default 5]
 *
 * Prints one JSON object for each size: medians of the time of an all-reduce, and the processor time of one worker in it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { systemClock } from '../src/core/clock.js';
import {
  ExchangeParticipant,
  type ExchangeTask,
  type ExchangeTimes,
  type ParticipantAddresses,
} from '../src/measure/exchange-participant.js';
import { Authority } from '../src/security/authority.js';
import type { Credentials } from '../src/security/identity.js';
import { newKeyPair } from '../src/security/secrets.js';
import './leave-nothing.js';

const self = new URL(import.meta.url).pathname;
const sizes = [44_426, 1_048_576, 26_214_400];

type Order =
  | { readonly do: 'start'; readonly credentials?: Credentials }
  | { readonly do: 'connect'; readonly rank: number; readonly members: readonly ParticipantAddresses[] }
  | { readonly do: 'measure'; readonly task: ExchangeTask };

function participate(): void {
  let participant: ExchangeParticipant | undefined;
  const carryOut = async (order: Order): Promise<unknown> => {
    if (order.do === 'start') {
      const { credentials } = order;
      const identity = credentials && { current: () => credentials, onChange: () => undefined };
      const security = identity && { identity, onRefused: (reason: string) => console.error(reason) };
      participant = new ExchangeParticipant(systemClock, { security });
      return participant.start({ host: '127.0.0.1', port: 0 });
    }
    if (order.do === 'measure') return participant!.measure(order.task);
    const fail = (error: Error): never => {
      throw error;
    };
    return participant!.connect(order.rank, order.members, { checksum: false, memory: false }, fail);
  };
  process.on('message', (order: Order) => void carryOut(order).then((answer) => process.send!({ answer })));
  process.on('disconnect', () => process.exit());
}

async function ask<Answer>(child: ChildProcess, order: Order): Promise<Answer> {
  child.send(order);
  const [{ answer }] = (await once(child, 'message')) as [{ answer: Answer }];
  return answer;
}

async function pair(credentials: Credentials | undefined): Promise<readonly ChildProcess[]> {
  const children = [0, 1].map(() => fork(self, ['participant']));
  const order: Order = { do: 'start', ...(credentials ? { credentials } : {}) };
  const members = await Promise.all(children.map((child) => ask<ParticipantAddresses>(child, order)));
  await Promise.all(children.map((child, rank) => ask(child, { do: 'connect', rank, members })));
  return children;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

async function main(rounds: number): Promise<void> {
  const { authority } = await Authority.create('bench', 24, () => Date.now());
  const { key, publicKey } = newKeyPair();
  const certificate = await authority.issue({ role: 'worker', name: 'bench', publicKey, hours: 1 });
  const [plain, secure] = [await pair(undefined), await pair({ ca: authority.certificate, certificate, key })];
  for (const floats of sizes) {
    const calls = Math.max(3, Math.round(20_000_000 / floats));
    const task: ExchangeTask = {
      floats,
      topology: 'mesh',
      calls: Math.min(calls, 200),
      warmUpCalls: 2,
      what: 'all-reduce',
    };
    const found = new Map<string, { ms: number; cpuMs: number }[]>([
      ['plain', []],
      ['tls', []],
    ]);
    for (let round = 0; round < rounds; round++)
      for (const [name, children] of [
        ['plain', plain],
        ['tls', secure],
      ] as const) {
        const [times] = await Promise.all(children.map((child) => ask<ExchangeTimes>(child, { do: 'measure', task })));
        found.get(name)!.push({ ms: median(times!.milliseconds), cpuMs: (times!.cpuSeconds / task.calls) * 1000 });
      }
    const figure = (name: string, what: 'ms' | 'cpuMs') =>
      Math.round(median(found.get(name)!.map((each) => each[what])) * 100) / 100;
    const line = {
      floats,
      plainMs: figure('plain', 'ms'),
      tlsMs: figure('tls', 'ms'),
      plainCpuMs: figure('plain', 'cpuMs'),
      tlsCpuMs: figure('tls', 'cpuMs'),
    };
    console.log(JSON.stringify({ cpu: cpus()[0]?.model, cores: cpus().length, rounds, ...line }));
  }
  for (const child of [...plain, ...secure]) child.disconnect();
}

if (process.argv[2] === 'participant') participate();
else await main(Number(process.argv[2] ?? 5));
