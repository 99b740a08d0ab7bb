import { flagsFor, type TrainConfig } from '../config/index.js';
import { localHost } from '../core/address.js';
import { listAdapters } from '../engine/webgpu/adapters.js';
import { placeOnGpus } from '../engine/webgpu/placement.js';
import { bindings } from '../launch/core-binding.js';
import type { LocalWorkersOptions } from '../launch/local-workers.js';

/** The workers that a configuration wants on this machine. @throws LockstepError as `placeOnGpus` and `bindings` do */
export async function localWorkersOf(config: TrainConfig): Promise<LocalWorkersOptions> {
  const gpus = config.engine === 'webgpu' ? placeOnGpus(config.workers, config.gpu, await listAdapters()) : undefined;
  const workers = gpus?.length ?? (config.workers === 'auto' ? 1 : config.workers);
  const workerFlags: LocalWorkersOptions['workerFlags'] = (coordinator, name, i) =>
    flagsFor('worker', {
      coordinator,
      name,
      engine: config.engine,
      gpu: gpus?.[i] ?? config.gpu,
      threads: config.threads,
      engineThread: config.engineThread,
      localWorkers: config.bindTo === 'core' ? 1 : workers, //       bound to its cores, a worker sees no others
      joinTimeoutSeconds: config.joinTimeoutSeconds,
      logLevel: config.logLevel === 'debug' || config.logLevel === 'trace' ? config.logLevel : 'info',
      listen: localHost(config.listen),
      certs: config.certs,
      insecure: config.insecure,
      metricsTokenFile: config.metricsTokenFile,
      exchangePort: 0,
      exchangeMemory: config.exchangeMemory,
      metricsPort: 0,
      cacheDir: config.cacheDir,
      cacheLimitGiB: config.cacheLimitGiB,
    });
  return { workers, workerFlags, bindings: config.bindTo === 'core' ? bindings(workers) : undefined };
}
