import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { CoordinatorConfig } from '../../config/index.js';
import { Leadership } from '../../coordinator/leadership.js';
import { prepareSpec, takeOver, type Predecessor, type PreparedSpec } from '../../coordinator/prepare.js';
import { Restoration } from '../../coordinator/restoration.js';
import { Resumption, type Earlier } from '../../coordinator/resumption.js';
import type { OpenModule } from '../../coordinator/run-module.js';
import { systemClock } from '../../core/clock.js';
import type { RunReport } from '../../core/events.js';
import type { RunSpec } from '../../core/run-spec.js';
import { isModelFile, nameOfModelFile } from '../../engine/model-file.js';
import { defaultModel } from '../../engine/models/names.js';
import { nameOfModule } from '../../own/load-module.js';
import { RunFolder } from '../../store/run-folder.js';
import type { NatsOnlooker } from '../../transport/nats/connection.js';
import { natsAccess } from '../nats-access.js';
import type { ProgramContext } from './program-context.js';

interface Sources {
  /** The lease and the journal, of a run that is led by way of NATS. */
  readonly leading: Leadership | undefined;
  /** Of a run that goes on from a checkpoint. */
  readonly resumption: Resumption | undefined;
  /** Of a run whose coordinator is gone, but not its folder. */
  readonly restoration: Restoration | undefined;
}

/**
 * Where a run comes from: it is new, it goes on from a checkpoint, or its coordinator is gone while its workers go on. What
 * it is found in, a folder or a journal, belongs to this process from then on.
 */
export class RunOrigin {
  readonly runId: string;
  /** Of the run's folder. */
  readonly out: string;
  /** Somebody has led this run before us, and its members are at work. */
  private readonly predecessor: Predecessor | undefined;

  private constructor(
    private readonly config: CoordinatorConfig,
    private readonly sources: Sources,
  ) {
    const { leading, resumption, restoration } = sources;
    this.predecessor = leading ? predecessorOf(leading, restoration) : restoration;
    this.runId = this.predecessor?.spec.runId ?? resumption?.checkpoint.runId ?? newRunId(config);
    this.out = config.resume ?? config.out ?? join('runs', this.runId);
  }

  /**
   * Waits for its turn, if this is a standby.
   *
   * @returns undefined if this was a standby and is not needed any more
   * @throws LockstepError for a folder or a run that is not to be had
   */
  static async find(
    config: CoordinatorConfig,
    { metrics, log, teardown }: ProgramContext,
  ): Promise<RunOrigin | undefined> {
    const { resume, restore: isRestored, out } = config;
    const resumption = resume === undefined ? undefined : await Resumption.find(resume, log.warn);
    teardown.later(() => resumption?.release());
    const restoration = isRestored ? await Restoration.find(out!) : undefined;
    teardown.later(() => restoration?.release());
    const onReach = (isReached: boolean): void => metrics.natsUnreachable.set(isReached ? 0 : 1);
    const leading = await lead(config, { log, onReach });
    if (leading === 'ended') return undefined;
    teardown.later(() => leading?.close());
    return new RunOrigin(config, { leading, resumption, restoration });
  }

  get leading(): Leadership | undefined {
    return this.sources.leading;
  }

  /** Whether the journal has no word of this run yet. */
  get isNew(): boolean {
    return this.predecessor === undefined;
  }

  /** Where workers look for the coordinator, if one was there before. */
  get port(): number | undefined {
    return this.sources.restoration?.run.port;
  }

  /** The step from which the run was resumed, by this process or by one before it. */
  get resumedStep(): number | undefined {
    return this.sources.restoration?.run.resumedStep ?? this.resumingStep;
  }

  /** The step from which this process resumes the run. */
  get resumingStep(): number | undefined {
    return this.sources.resumption?.checkpoint.step;
  }

  /**
   * Finds and checks everything that the run's specification names.
   *
   * @param warn - told what a user should know before a run is resumed
   * @throws LockstepError for the first thing that is wrong
   */
  async prepare(openModule: OpenModule | undefined, warn: (text: string) => void): Promise<PreparedSpec> {
    const { config, predecessor, runId } = this;
    const { resumption } = this.sources;
    const checkpoint = resumption?.checkpoint;
    const prepared = predecessor
      ? await takeOver(config, { spec: predecessor.spec, resumedFrom: checkpoint?.path ?? predecessor.resumedFrom })
      : await prepareSpec(config, runId, checkpoint, { openModule });
    resumption?.check(prepared.spec);
    const warning = resumption?.warning(prepared.spec);
    if (warning !== undefined) warn(warning);
    return prepared;
  }

  /** The report of a run that is over, and of which `spec` asks no more. */
  finished(spec: RunSpec): RunReport | undefined {
    return this.sources.resumption?.finished(spec);
  }

  /** What is in spec.json and in the journal: whoever takes over repeats it. @param own - as this process would say it */
  configAsSaid(own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const { leading } = this.sources;
    return leading?.isSuccessor ? leading.content.run!.config : own;
  }

  /** Opens the folder of the run, a new one if there was none. @returns `earlier`: what the run did before */
  async openFolder(): Promise<{ folder: RunFolder; earlier: Earlier | undefined }> {
    const { leading, resumption, restoration } = this.sources;
    const taken = (await resumption?.open()) ?? (await restoration?.open());
    const folder = taken?.folder ?? (await RunFolder.create({ path: this.out }));
    const earlier = leading ? leading.earlier(taken?.earlier) : taken?.earlier;
    return { folder, earlier };
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

/** Sorts by time, says what it is, and is not taken: `20261123-204455-lenet5-3f9a`. */
function newRunId({ module, model = defaultModel }: CoordinatorConfig): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = module ? nameOfModule(module) : isModelFile(model) ? nameOfModelFile(model) : model;
  return `${time}-${name}-${randomBytes(2).toString('hex')}`;
}
