import type { ExitCode } from '../../core/errors.js';
import { systemClock } from '../../core/clock.js';
import { LogStream } from '../../transport/nats/log-stream.js';
import { isOver } from '../../transport/nats/run-ledger.js';
import type { CommandContext } from '../context.js';
import { onSignals } from '../signals.js';
import { natsAccess, type NatsOptions } from '../nats-access.js';
import { askToStop, recordOf, sayTo, stateInWords, withLedger } from '../queued-runs.js';
import { attach as attachTo } from './launch.js';

const lookMs = 500;

export interface QueueOptions extends NatsOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
}

/** `lockstep nodes` */
export async function nodes({ json = false, ...nats }: QueueOptions, context: CommandContext): Promise<void> {
  await withLedger(natsAccess(nats), sayTo(context), async (ledger) => {
    const all = await ledger.nodes.list();
    if (all.length === 0) sayTo(context)('no agent is there: `lockstep agent` on each host that is to work');
    for (const { key: name, value } of all) {
      const free = value.slots.filter(({ run }) => run === undefined).length;
      const slots = value.slots.map(({ what, run }) => `${what} (${run ?? 'free'})`).join(', ');
      const line = json ? JSON.stringify({ name, ...value, free }) : `${name} on ${value.host}: ${free} free: ${slots}`;
      context.stdout.write(`${line}\n`);
    }
  });
}

/** `lockstep stop`: as Ctrl-C at a coordinator does: the run ends at a step boundary, with everything saved. */
export async function stop(run: string, nats: QueueOptions, context: CommandContext): Promise<void> {
  await withLedger(natsAccess(nats), sayTo(context), async (ledger) => {
    await recordOf(ledger, run);
    const now = await askToStop(ledger, run);
    context.stdout.write(now && isOver(now) ? `${stateInWords(now)}\n` : `run ${run} was asked to end\n`);
  });
}

/** `lockstep attach` */
export function attach(run: string, nats: QueueOptions, context: CommandContext): Promise<ExitCode> {
  return withLedger(natsAccess(nats), sayTo(context), (ledger) => attachTo(natsAccess(nats), run, ledger, context));
}

/** `lockstep logs` */
export async function logs(
  run: string,
  { follow = false, ...nats }: QueueOptions,
  context: CommandContext,
): Promise<void> {
  const abort = new AbortController();
  const release = onSignals(
    () => abort.abort(),
    () => process.exit(130),
  );
  try {
    await withLedger(natsAccess(nats), sayTo(context), async (ledger, connection) => {
      const stream = await LogStream.open(connection);
      let next = 1;
      for (;;) {
        const wasOver = isOver(await recordOf(ledger, run));
        for await (const chunk of stream.read(run, next)) {
          next = chunk.next;
          for (const line of chunk.text.trimEnd().split('\n')) context.stdout.write(`${chunk.who}: ${line}\n`);
        }
        if (!follow || wasOver || abort.signal.aborted) return;
        await new Promise<void>((resolve) => void systemClock.setTimer(lookMs, resolve));
      }
    });
  } finally {
    release();
  }
}
