import { availableParallelism } from 'node:os';
import { flagsFor } from '../../config/index.js';
import { localHost } from '../../core/address.js';
import { exitCodeOf } from '../../core/errors.js';
import { listAdapters } from '../../engine/webgpu/adapters.js';
import { placeOnGpus } from '../../engine/webgpu/placement.js';
import { LocalCluster } from '../../launch/local-cluster.js';
import type { CommandRun } from '../context.js';
import { onSignals } from '../signals.js';

/** `lockstep train`: a whole cluster on this machine, made of the same programs that run by hand on many. */
export const run: CommandRun<'train'> = async ({ config, given }) => {
  const gpus = config.engine === 'webgpu' ? placeOnGpus(config.workers, config.gpu, await listAdapters()) : undefined;
  const workers = gpus?.length ?? (config.workers === 'auto' ? 1 : config.workers);
  // Nobody types the addresses of a local cluster, so they may be any free ones unless they were chosen.
  const cluster = new LocalCluster({
    workers,
    coordinatorFlags: flagsFor('coordinator', {
      ...config,
      workers,
      logLevel: config.logLevel ?? 'warn',
      port: given.has('port') ? config.port : 0,
      metricsPort: given.has('metricsPort') ? config.metricsPort : undefined,
    }),
    restartFlags: (out, port) =>
      flagsFor('coordinator', {
        out: config.out ?? config.resume ?? out,
        port,
        restore: true,
        listen: config.listen,
        certs: config.certs,
        insecure: config.insecure,
        metricsTokenFile: config.metricsTokenFile,
        minWorkers: config.minWorkers,
        maxWorkers: config.maxWorkers,
        joinTimeoutSeconds: config.joinTimeoutSeconds,
        json: config.json,
        logLevel: config.logLevel ?? 'warn',
        metricsPort: given.has('metricsPort') ? config.metricsPort : undefined,
      }),
    workerFlags: (coordinator, name, i) =>
      flagsFor('worker', {
        coordinator,
        name,
        engine: config.engine,
        gpu: gpus?.[i] ?? config.gpu,
        threads: config.threads === 'auto' ? threadsOfEach(workers, availableParallelism()) : config.threads,
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
      }),
  });
  const release = onSignals(
    (signal) => cluster.stop(`${signal} received, once more to end at once`),
    () => {
      cluster.kill();
      process.exit(130);
    },
  );
  try {
    return exitCodeOf(await cluster.run());
  } finally {
    release();
  }
};

/** As many as there are cores when all workers are busy, and at least one. */
export function threadsOfEach(workers: number, cores: number): number {
  return Math.max(1, Math.floor(cores / workers));
}
