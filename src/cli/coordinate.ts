import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { specOf, type CoordinatorConfig, type LoadedConfig } from '../config/index.js';
import { Coordinator } from '../coordinator/coordinator.js';
import { Leadership } from '../coordinator/leadership.js';
import { prepareSpec, takeOver, type Predecessor } from '../coordinator/prepare.js';
import type { OpenModule } from '../coordinator/run-module.js';
import { Restoration } from '../coordinator/restoration.js';
import { Resumption } from '../coordinator/resumption.js';
import { runStoreIn } from '../coordinator/run-store.js';
import { formatHostPort, localHost } from '../core/address.js';
import { systemClock } from '../core/clock.js';
import { lockstepErrorIn, type ExitCode } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { isModelFile, nameOfModelFile } from '../engine/model-file.js';
import { defaultModel } from '../engine/models/names.js';
import { coordinatorMetrics, Registry } from '../metrics/index.js';
import type { PublicEvent } from '../live/public-events.js';
import { RunFolder } from '../store/run-folder.js';
import { nameOfModule } from '../own/load-module.js';
import { CoordinatorServer, type CoordinatorHandlers } from '../transport/grpc/coordinator-server.js';
import { Hub } from '../coordinator/hub.js';
import { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { refusalInWords } from '../security/identity.js';
import type { NatsOnlooker } from '../transport/nats/connection.js';
import type { ProgramLog } from './logger.js';
import { natsAccess } from './nats-access.js';
import { LiveRun } from './live-run.js';
import { serveMetrics } from './serve-metrics.js';
import type { Supervisor } from './supervisor.js';
import { hasMetricsTls, metricsAccess } from './metrics-access.js';
import { checkSecurable, reachableHost, secureCoordinator } from './coordinator-security.js';
import { readVersion } from './version.js';
import type { RunView } from './view/run-view.js';

/** How long workers may take to hear that the run is over. */
const farewellMs = 2_000;

/** Where a coordinator runs, and who looks on. */
export interface CoordinatorSurroundings {
  readonly view: RunView;
  readonly log: ProgramLog;
  /** Whoever started its workers. */
  readonly supervisor: Supervisor | undefined;
  /** Listens for people who want the run to end. @returns stops listening */
  readonly listen: (stop: (reason: string) => void) => () => void;
  /** For a run that is not all in a module. */
  readonly openModule?: OpenModule | undefined;
}

/**
 * A run's coordinator: everything is built here, and torn down in the opposite order.
 *
 * @returns 0, or 130 if it was interrupted; `view` was shown the report
 */
export async function coordinate(
  { config, given }: LoadedConfig<CoordinatorConfig>,
  { view, log, supervisor, listen, openModule }: CoordinatorSurroundings,
): Promise<ExitCode> {
  checkSecurable(config);
  const closing: (() => unknown)[] = [];
  const logger = { info: (text: string) => log.logger.info(text), warn: (text: string) => log.logger.warn(text) };
  try {
    const resumption = config.resume === undefined ? undefined : await Resumption.find(config.resume, logger.warn);
    closing.push(() => resumption?.release());
    const restoration = config.restore ? await Restoration.find(config.out!) : undefined;
    closing.push(() => restoration?.release());
    const registry = new Registry();
    const metrics = coordinatorMetrics(registry);
    const onReach = (isReached: boolean): void => metrics.natsUnreachable.set(isReached ? 0 : 1);
    const leading = await lead(config, { log: logger, onReach });
    if (leading === 'ended') return 0;
    closing.push(() => leading?.close());
    const predecessor = leading ? predecessorOf(leading, restoration) : restoration;
    const runId = predecessor?.spec.runId ?? resumption?.checkpoint.runId ?? newRunId(config);
    const prepared = predecessor
      ? await takeOver(config, {
          spec: predecessor.spec,
          resumedFrom: resumption?.checkpoint.path ?? predecessor.resumedFrom,
        })
      : await prepareSpec(config, runId, resumption?.checkpoint, { openModule });
    const { spec, layout, gap } = prepared;
    resumption?.check(spec);
    const warning = resumption?.warning(spec);
    if (warning !== undefined) logger.warn(warning);

    registry.setDefaultLabels({ run: runId });
    metrics.wantedWorkers.set(config.workers);
    metrics.build.set({ version: readVersion(), node: process.versions.node, program: 'coordinator' }, 1);
    const specification = specOf(config, { microBatchSize: spec.microBatchSize });
    const live = new LiveRun({
      runId,
      config: specification,
      metrics,
      clock: systemClock,
      wallTimeMs: () => Date.now(),
      log: logger,
    });
    if (config.trace !== undefined) await live.traceTo(config.trace);
    const show = (event: RunEvent): void => {
      live.observe(event);
      view.show(event);
    };
    const finished = resumption?.finished(spec);
    if (resumption && finished) {
      show({ type: 'resumed', step: resumption.checkpoint.step, isFinished: true });
      show({ type: 'result', ...finished });
      return 0;
    }
    let phase = (): string => 'starting';
    const health = () => {
      const state = phase();
      return {
        healthy: state !== 'failed',
        ready: !['starting', 'stopping', 'failed', 'ended'].includes(state),
        state,
      };
    };
    const host = await reachableHost(config);
    const security = await secureCoordinator(config, {
      runId,
      host,
      clock: systemClock,
      wallTimeMs: () => Date.now(),
      log: logger,
      onRefused(reason, from) {
        metrics.refused.inc({ reason });
        logger.warn(`refused ${from}: ${refusalInWords[reason]} (${reason})`);
      },
    });
    closing.push(() => security?.close());
    const access = metricsAccess(config, () => security?.metricsToken);
    const at = { host: config.listen, port: config.metricsPort };
    const exporter = await serveMetrics(
      {
        registry,
        health,
        route: live.route,
        access,
        certificate: hasMetricsTls(config) ? () => security?.identity.current() : undefined,
      },
      at,
      given.has('metricsPort'),
      (text) => log.logger.info(text),
    );
    closing.push(() => exporter.stop());
    closing.push(() => live.close());

    // A worker may call before the coordinator is there: the port must be known to be free before a folder is made.
    let beginService!: (value: Coordinator) => void;
    const service = new Promise<Coordinator>((resolve) => (beginService = resolve));
    const handlers: CoordinatorHandlers = {
      joined: (hello, channel) => void service.then((c) => c.join(hello, channel)),
      readBlob: (sha256) => counted(prepared.readBlob(sha256), (bytes) => metrics.datasetSent.inc(bytes)),
    };
    const doctor = { packageVersion: readVersion(), wallTimeMs: () => Date.now(), clock: systemClock };
    const server = new CoordinatorServer(runId, handlers, security?.server, doctor);
    const wantedPort = given.has('port') ? config.port : (restoration?.run.port ?? config.port);
    const port = await server.start({ host: config.listen, port: wantedPort });
    closing.push(() => server.kill());

    const out = config.resume ?? config.out ?? join('runs', runId);
    const taken = (await resumption?.open()) ?? (await restoration?.open());
    const { folder, earlier: recorded } = taken ?? { folder: await RunFolder.create({ path: out }) };
    const earlier = leading ? leading.earlier(recorded) : recorded;
    closing.push(() => folder.close());
    await security?.keepIn(folder.path);
    log.toFile(folder.logPath('coordinator'));
    const spokenConfig = leading?.isSuccessor ? leading.content.run!.config : specification;
    await folder.writeSpec(spokenConfig);
    for await (const event of folder.eventsSoFar()) live.recorder.rememberEvent(event as PublicEvent);
    const lastInFolder = live.recorder.events.lastSequence;
    const events = await leading?.openEvents(runId, {
      clock: systemClock,
      log: logger,
      onEarlier: (event) => live.recorder.rememberEvent(event),
      onWaiting: (waiting) => metrics.eventsWaiting.set(waiting),
      onGivenUp: () => metrics.eventsGivenUp.inc(),
    });
    if (resumption) show({ type: 'resumed', step: resumption.checkpoint.step, isFinished: false });
    live.keepEvents((event) => folder.appendEvent(event), lastInFolder);
    if (events) live.keepEvents((event) => events.publish(event), events.lastEarlier);
    closing.push(() => events?.close(farewellMs));
    if (taken) for await (const record of folder.metricsSoFar()) live.recorder.remember(record);

    const peers = new ExchangeClients(runId, systemClock, security?.identity);
    closing.push(() => peers.close());
    const hub =
      spec.topology === 'star'
        ? await Hub.start(
            {
              ...{ spec, layout, clock: systemClock, security: security?.server },
              lost: (workerId, reason) => void service.then((c) => c.lostByHub(workerId, reason)),
              fail: (error) => void service.then((c) => c.fail(error)),
            },
            { host: config.listen, port: config.exchangePort },
            given.has('exchangePort'),
          )
        : undefined;
    closing.push(() => hub?.close());
    const resumedStep = restoration?.run.resumedStep ?? resumption?.checkpoint.step;
    const store = runStoreIn(folder, spec, layout, {
      keep: config.keepCheckpoints,
      resumedStep,
      journal: leading,
      freeze: (report) => live.freeze(report),
    });
    if (!predecessor) {
      const resumed = resumedStep === undefined ? {} : { resumedStep };
      await store.appendJournal({ kind: 'run', spec, port, config: spokenConfig, ...resumed });
    }
    const coordinator: Coordinator = new Coordinator(
      { spec, layout, gap, store, peers: hub ?? peers, hub, clock: systemClock, show, watch: live.watch, log: logger },
      {
        worldSize: config.workers,
        minWorkers: config.minWorkers,
        maxWorkers: config.maxWorkers,
        joinTimeoutSeconds: config.joinTimeoutSeconds,
        out,
        earlier,
        resumeWith: `lockstep ${supervisor ? 'train' : 'coordinator'} --resume ${shellWord(out)}`,
      },
    );
    let isDraining = false;
    const drain = (reason: string): void => {
      isDraining = true; //                                           probes and balancers send nobody here any more
      void server.serving(false);
      coordinator.stop(reason);
    };
    phase = () => (isDraining && !['failed', 'ended'].includes(coordinator.phase) ? 'stopping' : coordinator.phase);
    closing.push(listen(drain));
    supervisor?.onMessage((message) => {
      if (message.type === 'stop') drain(message.reason);
      else coordinator.workerProcessEnded(message.worker, message.reason);
    });
    beginService(coordinator);
    void server.serving(true);
    const reachable = formatHostPort({ host, port });
    await leading?.publish(reachable, (error) => coordinator.fail(error));
    const address = formatHostPort({ host: config.listen, port });
    const token = security?.token(config.workers);
    show({
      type: 'listening',
      coordinator: address,
      metrics: exporter.url,
      page: pageUrl(exporter, host, access?.token()),
      ...(token === undefined
        ? {}
        : { join: `lockstep worker --coordinator ${reachable} --listen 0.0.0.0 --token ${token}` }),
    });
    supervisor?.tell({
      type: 'listening',
      address: formatHostPort({ host: localHost(config.listen), port }),
      out: folder.path,
      ...(token === undefined ? {} : { token }),
    });

    const report = await coordinator.run().catch((error: unknown) => {
      const known = lockstepErrorIn(error);
      const { code = 'INTERNAL', message = String(error), remedy = '' } = known ?? {};
      live.observe({ type: 'error', code, message, remedy }); //        main.ts words it for whoever started us
      throw error;
    });
    closing.push(() => server.stop(systemClock, farewellMs));
    show({ type: 'result', ...report });
    return report.outcome === 'interrupted' ? 130 : 0;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

/** The run's lease and journal in NATS, if it is led there; `ended` if this was a standby, and is not needed any more. */
async function lead(
  config: CoordinatorConfig,
  onlooker: Required<NatsOnlooker>,
): Promise<Leadership | 'ended' | undefined> {
  const { run, standby: isStandby, joinTimeoutSeconds: limitSeconds } = config;
  const nats = natsAccess(config);
  if (nats === undefined || run === undefined) return undefined;
  const holder = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const options = { nats, run, holder, isStandby, limitSeconds };
  const leading = await Leadership.take(options, { clock: systemClock, ...onlooker });
  if (!leading) onlooker.log.info(`run ${run} has ended`);
  return leading ?? 'ended';
}

/** The run that goes on under this coordinator, by its journal in NATS. */
function predecessorOf({ content, isSuccessor }: Leadership, folder: Restoration | undefined): Predecessor | undefined {
  return isSuccessor ? { spec: content.run!.spec, resumedFrom: folder?.resumedFrom } : undefined;
}

/** One that can be opened: whoever listens on all networks is reached at an address in one of them. */
function pageUrl(
  { url, port }: { readonly url: string; readonly port: number },
  host: string,
  token: string | undefined,
): string {
  const { protocol } = new URL(url);
  return `${protocol}//${formatHostPort({ host, port })}/${token === undefined ? '' : `?token=${token}`}`;
}

/** Passes chunks on and counts them. */
function counted(
  chunks: AsyncIterable<Uint8Array> | undefined,
  count: (bytes: number) => void,
): AsyncIterable<Uint8Array> | undefined {
  async function* counting(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      count(chunk.length);
      yield chunk;
    }
  }
  return chunks && counting(chunks);
}

/** A path as a person can paste it into a shell. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** Sorts by time, says what it is, and is not taken: `20261123-204455-lenet5-3f9a`. */
function newRunId({ module, model = defaultModel }: CoordinatorConfig): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = module ? nameOfModule(module) : isModelFile(model) ? nameOfModelFile(model) : model;
  return `${time}-${name}-${randomBytes(2).toString('hex')}`;
}
