import { fault as configFault } from '../../config/faults.js';
import { runName } from '../../config/values.js';
import type { PublicEvent } from '../../live/public-events.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { natsAccess } from '../nats-access.js';
import { readEvents, readEventsInNats } from '../run-source.js';
import { onSignals } from '../signals.js';
import { authorityIn, type TrustOptions } from '../trust.js';

export interface EventsOptions extends TrustOptions {
  readonly since: string;
  readonly follow?: boolean;
  readonly nats?: string;
  readonly natsCreds?: string;
  readonly natsCa?: string;
  readonly run?: string;
}

/** `lockstep events`: what happened in a run, one JSON object a line; goes on with what happens if it is followed. */
export async function run(where: string, options: EventsOptions, context: CommandContext): Promise<void> {
  const { stdout, stderr } = context;
  const abort = new AbortController();
  const release = onSignals(
    () => abort.abort(),
    () => process.exit(130),
  );
  try {
    for await (const event of eventsOf(where, options, abort.signal, stderr))
      stdout.write(`${JSON.stringify(event)}\n`);
  } finally {
    release();
  }
}

function eventsOf(
  where: string,
  { since, follow = false, run: name, ...options }: EventsOptions,
  signal: AbortSignal,
  stderr: CommandContext['stderr'],
): AsyncIterable<PublicEvent> {
  const { nats } = options;
  if (!/^\d+$/.test(since) && Number.isNaN(Date.parse(since)))
    throw cliFault('BAD_USAGE', {
      message: `--since ${since} is neither a sequence, such as 0 or 57, nor a time, such as 2026-11-28T09:30:00Z`,
    });
  if (nats === undefined && name === undefined) return readEvents(where, since, follow, signal, authorityIn(options));
  if (nats === undefined) throw configFault('NATS_INCOMPLETE', { given: `--run ${name}`, missing: '--nats' });
  if (name === undefined) throw configFault('NATS_INCOMPLETE', { given: `--nats ${nats}`, missing: '--run' });
  if (!runName.safeParse(name).success)
    throw cliFault('BAD_USAGE', { message: `--run ${name}: expected letters, digits, - and _, at most 64` });
  const say = (text: string): void => void stderr.write(`${text}\n`);
  return readEventsInNats(natsAccess({ ...options, nats }), name, since, follow, signal, { info: say, warn: say });
}
