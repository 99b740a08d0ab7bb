import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { formatHostPort, isLoopback, isWildcardHost, parseHostPort } from '../../core/address.js';
import { systemClock } from '../../core/clock.js';
import { lockstepErrorIn } from '../../core/errors.js';
import { randomStream } from '../../core/random.js';
import { workerIdOf } from '../../core/worker-id.js';
import { Cache, defaultCacheFolder } from '../../data/cache.js';
import { Registry, workerMetrics } from '../../metrics/index.js';
import { refusalInWords, type Identity } from '../../security/identity.js';
import { CoordinatorConnection, openStream } from '../../transport/grpc/coordinator-client.js';
import { tmpfsFolder } from '../../transport/grpc/slot-file.js';
import { ownAddressTowards } from '../../worker/own-address.js';
import { prepareRun } from '../../worker/prepare.js';
import { Worker } from '../../worker/worker.js';
import type { WorkerDependencies } from '../../worker/worker-options.js';
import type { CommandRun } from '../context.js';
import { createLog } from '../logger.js';
import { hasMetricsTls, metricsAccess } from '../metrics-access.js';
import { serveMetrics } from '../serve-metrics.js';
import { receivedModulesIn } from '../received-modules.js';
import { onSignals } from '../signals.js';
import { locator } from '../locator.js';
import { findSupervisor } from '../supervisor.js';
import { Teardown } from '../teardown.js';
import { readVersion } from '../version.js';
import { watchWorker } from '../watch-worker.js';
import { secureWorker } from '../worker-security.js';

/** `lockstep worker`: everything is built here, and torn down in the opposite order. */
export const run: CommandRun<'worker'> = async ({ config, given }, { stderr, environment }) => {
  const supervisor = findSupervisor();
  const teardown = new Teardown();
  const name = config.name ?? hostname();
  const { logger, close } = createLog({ program: name, level: config.logLevel ?? 'info', stderr, environment });
  teardown.later(close);
  const log = {
    debug: (text: string) => logger.debug(text),
    info: (text: string) => logger.info(text),
    warn: (text: string) => logger.warn(text),
  };
  try {
    const cacheFolder = config.cacheDir ?? defaultCacheFolder(environment);
    const cache = await Cache.open({
      folder: cacheFolder,
      limitBytes: config.cacheLimitGiB * 2 ** 30,
      wallTimeMs: () => Date.now(),
    });
    const registry = new Registry();
    const metrics = workerMetrics(registry);
    metrics.build.set({ version: readVersion(), node: process.versions.node, program: 'worker' }, 1);
    let state = 'joining';
    const health = () => ({ healthy: true, ready: state !== 'joining', state });
    const at = { host: config.listen, port: config.metricsPort };
    const known: { metricsToken?: string | undefined; identity?: Identity | undefined } = {}; // not before we are let in
    const access = metricsAccess(config, () => known.metricsToken);
    const certificate = hasMetricsTls(config) ? () => known.identity?.current() : undefined;
    const needs = { registry, health, access, certificate };
    const exporter = await serveMetrics(needs, at, given.has('metricsPort'), log.info);
    teardown.later(() => exporter.stop());

    let current: Worker | undefined;
    const leave = (): void => (current ? current.leave() : process.exit(130));
    teardown.later(onSignals(leave, () => process.exit(130)));
    const timeoutSeconds = config.joinTimeoutSeconds;
    const whereabouts = await locator(config, {
      log,
      onReach: (isReached) => metrics.natsUnreachable.set(isReached ? 0 : 1),
    });
    teardown.later(() => whereabouts.close());
    const first = await whereabouts.wait(timeoutSeconds, systemClock, () =>
      log.warn(`${whereabouts.notYet}; trying for ${timeoutSeconds} s`),
    );
    const security = await secureWorker(config, {
      clock: systemClock,
      wallTimeMs: () => Date.now(),
      log,
      name,
      cacheFolder,
      findCoordinator: () => whereabouts.find(),
    });
    const identity = security?.identity;
    teardown.later(() => identity?.close());
    known.metricsToken = security?.metricsToken;
    known.identity = identity;
    const atFirst = new CoordinatorConnection(first, systemClock, identity);
    try {
      await atFirst.reach(timeoutSeconds, () =>
        log.warn(`nobody answers at ${first} yet; trying for ${timeoutSeconds} s`),
      );
    } finally {
      atFirst.close();
    }
    log.info(`joining the run at ${first}, metrics on ${exporter.url}`);
    const towards = parseHostPort(first)!;
    const reachedAt =
      config.advertise ?? (isWildcardHost(config.listen) ? await ownAddressTowards(towards) : config.listen);

    const fetchBlob = async function* (sha256: string): AsyncIterable<Uint8Array> {
      const connection = new CoordinatorConnection(await whereabouts.find(), systemClock, identity);
      try {
        for await (const chunk of connection.fetchBlob(sha256)) {
          metrics.datasetReceived.inc(chunk.length);
          yield chunk;
        }
      } finally {
        connection.close();
      }
    };
    const threads = config.threads === 'auto' ? availableParallelism() : config.threads;
    const advertised = (port: number) => formatHostPort({ host: reachedAt, port });
    let reached = first;
    const join = (): Worker => {
      const workerId = workerIdOf(name, randomBytes(3).toString('hex'));
      const deps: WorkerDependencies = {
        coordinatorAddress: whereabouts.inWords,
        dial: async () => openStream((reached = await whereabouts.find()), identity),
        hubAt: (port) => formatHostPort({ host: parseHostPort(reached)!.host, port }),
        security: identity && {
          identity,
          onRefused(reason, from) {
            metrics.refused.inc({ reason });
            log.warn(`refused ${from}: ${refusalInWords[reason]} (${reason})`);
          },
        },
        clock: systemClock,
        random: randomStream(0, 'coordinator-stream', workerId),
        prepare: (spec) => {
          registry.setDefaultLabels({ run: spec.runId, worker: name });
          return prepareRun(spec, config.engine, {
            threads,
            gpu: config.gpu,
            module: config.module,
            shipping: config.acceptShipped
              ? {
                  modules: receivedModulesIn(cacheFolder),
                  isTrusted: () => identity !== undefined || isLoopback(parseHostPort(reached)!.host),
                }
              : undefined,
            cache,
            fetchBlob,
            log,
          });
        },
        // A thread in the middle of native code would keep the process from ending.
        engineStuck: () => process.once('exit', () => process.kill(process.pid, 'SIGKILL')),
        advertise: advertised,
        log,
        watch: watchWorker(metrics, (now) => (state = now)),
      };
      return new Worker(deps, {
        workerId,
        host: hostname(),
        pid: process.pid,
        metricsAddress: `${certificate ? 'https://' : ''}${advertised(exporter.port)}`,
        listen: { host: config.listen, port: config.exchangePort },
        isPortChosen: given.has('exchangePort'),
        memoryFolder: config.exchangeMemory === 'off' ? undefined : tmpfsFolder,
        coordinatorTimeoutSeconds: config.joinTimeoutSeconds,
      });
    };
    for (;;) {
      const worker = (current = join());
      try {
        await worker.work();
        log.info('nothing more to do here');
        return 0;
      } catch (error) {
        if (lockstepErrorIn(error)?.code !== 'DROPPED') throw error;
        log.warn(`${(error as Error).message}; joining again as a new member`);
      }
    }
  } finally {
    await teardown.run();
    supervisor?.release();
  }
};
