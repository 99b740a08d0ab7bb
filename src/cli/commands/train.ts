import { flagsFor } from '../../config/index.js';
import { exitCodeOf } from '../../core/errors.js';
import { LocalCluster } from '../../launch/local-cluster.js';
import type { CommandRun } from '../context.js';
import { localWorkersOf } from '../local-workers-of.js';
import { onSignals } from '../signals.js';

/** `lockstep train`: a whole cluster on this machine, made of the same programs that run by hand on many. */
export const run: CommandRun<'train'> = async ({ config, given }) => {
  const local = await localWorkersOf(config);
  const { workers } = local;
  // Nobody types the addresses of a local cluster, so they may be any free ones unless they were chosen.
  const cluster = new LocalCluster({
    ...local,
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
