import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Agent, type AgentNeeds } from '../../agent/agent.js';
import { AgentFolder, usualFolder } from '../../agent/agent-folder.js';
import { Results } from '../../agent/results.js';
import { cardsIn, offersFor, shares, visibleCards, type Card, type SlotOffer } from '../../agent/slots.js';
import { isWildcardHost } from '../../core/address.js';
import { systemClock } from '../../core/clock.js';
import { listAdapters } from '../../engine/webgpu/adapters.js';
import { connectNats } from '../../transport/nats/connection.js';
import { hasJournal } from '../../transport/nats/journal-stream.js';
import { LogStream } from '../../transport/nats/log-stream.js';
import { newestEvent } from '../../transport/nats/read-events.js';
import { serveRunFiles } from '../../transport/nats/run-files.js';
import { RunLedger } from '../../transport/nats/run-ledger.js';
import { WorkQueue } from '../../transport/nats/work-queue.js';
import { ownAddressTowards } from '../../worker/own-address.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { createLog } from '../logger.js';
import { hostOfNats, natsAccess, type NatsOptions } from '../nats-access.js';
import { onSignals } from '../signals.js';

export interface AgentCommandOptions extends NatsOptions {
  readonly slots: string;
  readonly name?: string;
  readonly dir?: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly insecure?: boolean;
  readonly acceptShipped?: boolean;
}

/** `lockstep agent`: serves this host's slots to the runs in NATS until it is stopped; the programs of the runs go on. */
export async function run(options: AgentCommandOptions, { stderr, environment }: CommandContext): Promise<void> {
  const folder = await AgentFolder.take(resolve(options.dir ?? usualFolder(environment, hostname())));
  const { logger, close } = createLog({ program: 'agent', level: 'info', stderr, environment });
  const log = { info: (text: string) => logger.info(text), warn: (text: string) => logger.warn(text) };
  try {
    await serve(folder, options, environment, log);
  } finally {
    await folder.release();
    close();
  }
}

async function serve(
  folder: AgentFolder,
  options: AgentCommandOptions,
  environment: CommandContext['environment'],
  log: AgentNeeds['log'],
): Promise<void> {
  const name = (options.name ?? hostname()).replace(/[^\w-]/g, '_');
  // The programs run in a folder of their own.
  const given = natsAccess(options);
  const whole = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  const nats = { ...given, credentials: whole(given.credentials), ca: whole(given.ca) };
  const connection = await connectNats(nats, `lockstep agent ${name}`, { log });
  const slots = await slotOffers(options.slots, environment);
  await serveRunFiles(connection, name, new Results(folder.programs), log);
  const agent = new Agent(
    {
      clock: systemClock,
      ledger: await RunLedger.open(connection),
      queue: await WorkQueue.open(connection),
      logs: await LogStream.open(connection),
      newestEvent: (run) => newestEvent(connection, run),
      hasJournal: (run) => hasJournal(connection, run),
      log,
    },
    {
      name,
      instance: folder.instance(randomUUID),
      host: hostname(),
      slots,
      folder: folder.programs,
      nats,
      listen: options.listen,
      advertise:
        options.advertise ??
        (isWildcardHost(options.listen) ? await ownAddressTowards(hostOfNats(options.nats)) : undefined),
      insecure: options.insecure ?? false,
      acceptShipped: options.acceptShipped ?? false,
      wallTimeMs: () => Date.now(),
    },
  );
  const release = onSignals(
    () => agent.stop(),
    () => process.exit(130),
  );
  log.info(`agent ${name} offers ${slots.map(({ what }) => what).join(', ')}; its files are in ${folder.path}`);
  try {
    await agent.run();
    log.info('the agent ends; programs of runs go on, and the next agent with this folder keeps them');
  } finally {
    release();
    await connection.close();
  }
}

async function slotOffers(wanted: string, environment: CommandContext['environment']): Promise<readonly SlotOffer[]> {
  const cores = availableParallelism();
  if (wanted === 'auto') {
    const adapters = (await listAdapters().catch(() => [])).filter((each) => !each.isSoftware && !each.isHidden);
    return offersFor(visibleCards(await cards(), environment['CUDA_VISIBLE_DEVICES']), adapters, cores);
  }
  const count = Number(wanted);
  if (!Number.isSafeInteger(count) || count < 1)
    throw cliFault('BAD_USAGE', { message: `--slots ${wanted}: expected auto, or a whole number of at least 1` });
  return shares(count, cores);
}

/** None where NVIDIA's driver is not installed. */
async function cards(): Promise<readonly Card[]> {
  const query = ['--query-gpu=uuid,name', '--format=csv,noheader'];
  const found = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 }).catch(() => undefined);
  return cardsIn(found?.stdout ?? '');
}
