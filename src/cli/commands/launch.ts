import { randomBytes } from 'node:crypto';
import { fault } from '../../agent/faults.js';
import { runName } from '../../config/values.js';
import type { ExitCode } from '../../core/errors.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { natsAccess, type NatsOptions } from '../nats-access.js';
import type { NatsAccess } from '../../transport/nats/connection.js';
import { follow, inWordsTo, sayTo, submit, withLedger } from '../queued-runs.js';
import { onSignals } from '../signals.js';

export interface LaunchOptions extends NatsOptions {
  readonly workers: string;
  readonly maxWorkers?: string;
  readonly run?: string;
  readonly priority: string;
  readonly detach?: boolean;
}

/**
 * `lockstep launch`: puts a run into the queue, and follows it.
 *
 * @param flags - what follows, as for `lockstep coordinator`; checked already
 */
export async function run(
  flags: readonly string[],
  options: LaunchOptions,
  { stdout, stderr }: CommandContext,
): Promise<ExitCode> {
  const access = natsAccess(options);
  const name = options.run ?? `run-${randomBytes(4).toString('hex')}`;
  if (!runName.safeParse(name).success)
    throw cliFault('BAD_USAGE', { message: `--run ${name}: expected letters, digits, - and _, at most 64` });
  const workers = whole('--workers', options.workers, 1);
  const request = {
    name,
    workers,
    maxWorkers: Math.max(workers, whole('--max-workers', options.maxWorkers ?? options.workers, 1)),
    priority: whole('--priority', options.priority, 0),
    flags,
  };
  return withLedger(access, sayTo({ stderr }), async (ledger) => {
    await submit(request, ledger);
    stdout.write(`run ${name} is in the queue\n`);
    if (options.detach === true) return 0;
    return attach(access, name, ledger, { stdout });
  });
}

/** Shows what happens in a run until its end, or until somebody has seen enough. */
export async function attach(
  access: NatsAccess,
  name: string,
  ledger: Parameters<typeof follow>[1],
  { stdout }: Pick<CommandContext, 'stdout'>,
): Promise<ExitCode> {
  const abort = new AbortController();
  const release = onSignals(
    () => abort.abort(),
    () => process.exit(130),
  );
  try {
    const told = inWordsTo((text) => void stdout.write(`${text}\n`));
    const record = await follow(access, ledger, name, abort.signal, told);
    if (!record) {
      stdout.write(
        `run ${name} goes on: lockstep attach ${name} --nats ${access.url}, or lockstep stop ${name} --nats ${access.url}\n`,
      );
      return 0;
    }
    if (record.state === 'failed') throw fault('LAUNCH_FAILED', { run: name, why: record.why ?? '' });
    if (record.weightsDigest !== undefined) stdout.write(`weights sha256 ${record.weightsDigest}\n`);
    return record.state === 'stopped' ? 130 : 0;
  } finally {
    release();
  }
}

function whole(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw cliFault('BAD_USAGE', { message: `${flag} ${text}: expected a whole number of at least ${least}` });
}
