import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import type { LoadedConfig, WorkerConfig } from '../../config/index.js';
import { formatHostPort, isLoopback, isWildcardHost, parseHostPort } from '../../core/address.js';
import { randomStream } from '../../core/random.js';
import type { RunSpec } from '../../core/run-spec.js';
import { workerIdOf } from '../../core/worker-id.js';
import type { Cache } from '../../data/cache.js';
import { CoordinatorConnection, openStream } from '../../transport/grpc/coordinator-client.js';
import { tmpfsFolder } from '../../transport/grpc/slot-file.js';
import { ownAddressTowards } from '../../worker/own-address.js';
import { prepareRun } from '../../worker/prepare.js';
import type { PreparedRun } from '../../worker/prepared-run.js';
import { Worker } from '../../worker/worker.js';
import { receivedModulesIn } from '../received-modules.js';
import { countRefusals } from '../refusals.js';
import { watchWorker } from '../watch-worker.js';
import type { Exposition } from './exposition.js';
import type { MetCoordinator } from './meet-coordinator.js';
import type { ProgramContext } from './program-context.js';

/**
 * Makes this program a member of the run; each time another one, whose number nobody has seen.
 *
 * @returns makes the next member
 * @throws LockstepError what `ownAddressTowards` throws
 */
export async function membersOf(
  { config, given }: LoadedConfig<WorkerConfig>,
  { address, whereabouts, security }: MetCoordinator,
  { cache, exposition }: { readonly cache: Cache; readonly exposition: Exposition },
  context: ProgramContext,
): Promise<() => Worker> {
  const { name, metrics, clock, log } = context;
  const identity = security?.identity;
  /** Where the coordinator was last. */
  let reached = address;
  const coordinatorHost = (): string => parseHostPort(reached)!.host;
  const host =
    config.advertise ??
    (isWildcardHost(config.listen) ? await ownAddressTowards(parseHostPort(address)!) : config.listen);
  const advertise = (port: number): string => formatHostPort({ host, port });
  const isTrusted = (): boolean => identity !== undefined || isLoopback(coordinatorHost());
  const prepare = preparation(config, { whereabouts, security, cache, isTrusted }, context);
  return () => {
    const workerId = workerIdOf(name, randomBytes(3).toString('hex'));
    return new Worker(
      {
        coordinatorAddress: whereabouts.inWords,
        dial: async () => openStream((reached = await whereabouts.find()), identity),
        hubAt: (port) => formatHostPort({ host: coordinatorHost(), port }),
        security: identity && { identity, onRefused: countRefusals(context) },
        clock,
        random: randomStream(0, 'coordinator-stream', workerId),
        prepare,
        // A thread in the middle of native code would keep the process from ending.
        engineStuck: () => process.once('exit', () => process.kill(process.pid, 'SIGKILL')),
        advertise,
        log,
        watch: watchWorker(metrics, exposition.tell),
      },
      {
        workerId,
        host: hostname(),
        pid: process.pid,
        metricsAddress: `${exposition.hasTls ? 'https://' : ''}${advertise(exposition.port)}`,
        listen: { host: config.listen, port: config.exchangePort },
        isPortChosen: given.has('exchangePort'),
        memoryFolder: config.exchangeMemory === 'off' ? undefined : tmpfsFolder,
        coordinatorTimeoutSeconds: config.joinTimeoutSeconds,
      },
    );
  };
}

interface PreparationNeeds extends Pick<MetCoordinator, 'whereabouts' | 'security'> {
  readonly cache: Cache;
  /** Whether code that the coordinator sends may run here, if --accept-shipped allows any. */
  readonly isTrusted: () => boolean;
}

function preparation(
  config: WorkerConfig,
  { whereabouts, security, cache, isTrusted }: PreparationNeeds,
  { name, cacheFolder, registry, metrics, clock, log }: ProgramContext,
): (spec: RunSpec) => Promise<PreparedRun> {
  const fetchBlob = async function* (sha256: string): AsyncIterable<Uint8Array> {
    const connection = new CoordinatorConnection(await whereabouts.find(), clock, security?.identity);
    try {
      for await (const chunk of connection.fetchBlob(sha256)) {
        metrics.datasetReceived.inc(chunk.length);
        yield chunk;
      }
    } finally {
      connection.close();
    }
  };
  const { gpu, module, engineThread, localWorkers } = config;
  const cores = availableParallelism();
  const each = engineThread === 'main' ? 1 : Math.max(1, Math.floor(cores / localWorkers));
  const threads = config.threads === 'auto' ? each : config.threads;
  const place = { wanted: engineThread, clock, cores, localWorkers };
  const shipping = config.acceptShipped ? { modules: receivedModulesIn(cacheFolder), isTrusted } : undefined;
  return (spec) => {
    registry.setDefaultLabels({ run: spec.runId, worker: name });
    return prepareRun(spec, config.engine, { threads, place, gpu, module, shipping, cache, fetchBlob, log });
  };
}
