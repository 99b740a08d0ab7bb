import { inOrder } from '../../agent/queue.js';
import { isOver } from '../../transport/nats/run-ledger.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { natsAccess, type NatsOptions } from '../nats-access.js';
import { sayTo, stateInWords, withLedger } from '../queued-runs.js';

export interface RunsOptions extends Partial<NatsOptions> {
  readonly json?: boolean;
  readonly prune?: boolean;
}

/** `lockstep runs` */
export async function list(
  { json = false, prune = false, ...nats }: RunsOptions,
  context: CommandContext,
): Promise<void> {
  const access = natsAccess(nats);
  if (!access) throw cliFault('BAD_USAGE', { message: 'lockstep runs: --nats is missing' });
  await withLedger(access, sayTo(context), async (ledger) => {
    const all = (await ledger.runs.list()).map(({ value }) => value);
    for (const run of prune ? all.filter(isOver) : []) {
      await ledger.secrets.delete(run.name);
      await ledger.runs.delete(run.name);
    }
    const places = await ledger.places.list();
    for (const run of inOrder(all.filter((each) => !prune || !isOver(each)))) {
      const there = places.filter(({ key }) => key.startsWith(`${run.name}.`)).length;
      const { flags: _flags, ...facts } = run;
      const workers = isOver(run) ? '' : `, ${there} of ${run.workers} workers, priority ${run.priority}`;
      context.stdout.write(
        json ? `${JSON.stringify({ ...facts, workersThere: there })}\n` : `${stateInWords(run)}${workers}\n`,
      );
    }
  });
}
