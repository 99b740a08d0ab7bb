import { Workspace } from '../collective/workspace.js';
import { createArena, type Arena } from '../core/arena.js';
import type { Clock } from '../core/clock.js';
import { evaluationCount, evaluationLength, stepSumLength, trainedPart, type ParameterLayout } from '../core/layout.js';
import type { Blob, DatasetRole, RunSpec } from '../core/run-spec.js';
import type { Cache } from '../data/cache.js';
import { encodedImages, type EncodedImages } from '../data/encoded-images.js';
import { holdOut } from '../data/held-out.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { CompiledLoops } from '../engine/compiled-loops.js';
import type { EngineName } from '../engine/engine.js';
import { enginePlace, type EnginePlace, type PlaceNeeds } from '../engine/engine-place.js';
import { EngineThreads } from '../engine/engine-threads.js';
import { fastestKernels } from '../engine/fastest-kernels.js';
import { classNumbers } from '../engine/has-accuracy.js';
import type { ResidentImages } from '../engine/job.js';
import { initialiseWeights } from '../engine/initial-weights.js';
import { arenaVectors } from '../engine/arena-vectors.js';
import { withOuterMomentum } from '../optim/outer-momentum.js';
import { createOptimizer } from '../optim/registry.js';
import { decodeCheckpoint, stateVectorsFrom } from '../store/checkpoint-file.js';
import { decodeSafetensors, weightsFrom } from '../store/safetensors.js';
import { scaledStepAt } from './batch-scaling.js';
import { fault } from './faults.js';
import { learningRateOf } from './learning-rate.js';
import { openOwnModule, type Shipping } from './own-module.js';
import type { PreparedRun } from './prepared-run.js';
import { adoptState } from './state-transfer.js';
import { TrainingState } from './training-state.js';

/** What faults call the file, which has a name only where the run was started. */
const initName = 'the initial weights';
const resumeName = 'the checkpoint';

export interface PrepareNeeds {
  /** Engine threads; they change no bit. */
  readonly threads: number;
  /** Default a thread of its own for the engine. */
  readonly place?: { readonly wanted: EnginePlace | 'auto'; readonly clock: Clock } & Pick<
    PlaceNeeds,
    'cores' | 'localWorkers'
  >;
  /** As `--gpu` has it. */
  readonly gpu: string;
  /** Where the run's module lies on this machine, if not where it lay when the run was begun. */
  readonly module?: string | undefined;
  /** Of a worker that runs the module that its coordinator sends. */
  readonly shipping?: Shipping | undefined;
  readonly cache: Pick<Cache, 'get' | 'put'>;
  /** From the coordinator, when the cache does not have it. */
  readonly fetchBlob: (sha256: string) => AsyncIterable<Uint8Array>;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/**
 * Everything that a worker needs before its first step: data, engine, and state 0 or that of the checkpoint from which the
 * run is resumed. A pure function of the spec; all workers end up with the same state.
 *
 * @param own - this worker's engine, stronger than the spec's unless it is `auto`
 */
export async function prepareRun(spec: RunSpec, own: EngineName | 'auto', needs: PrepareNeeds): Promise<PreparedRun> {
  const arena = createArena();
  const module = spec.module && (await openOwnModule(spec, spec.module, needs.module, needs));
  const samples = module?.samples ?? (await loadImages(spec, needs));
  const { engine: name, reason } = chooseEngine(own === 'auto' ? spec.engine : own, spec.model);
  const threads = name === 'webgpu' ? 1 : needs.threads; //          more would only wait for the same GPU
  const { model, microBatchSize, seed, shuffle } = spec;
  const fitting = { engine: name, model, microBatchSize, threads, isResident: !module };
  const isMain = needs.place && enginePlace(needs.place.wanted, { ...needs.place, ...fitting }) === 'main';
  needs.log.info(`engine ${name} (${reason}), ${isMain ? 'in the main thread' : threadsInWords(threads)}`);
  const engine = await EngineThreads.start({
    threads,
    inPlace: isMain ? needs.place.clock : undefined,
    gpu: needs.gpu,
    engine: name,
    model,
    microBatchSize,
    arena,
    samples,
    ownLoss: module?.ownLoss,
    metrics: spec.metrics && { path: model.name, labels: classNumbers, ...module?.ownLoss, metrics: spec.metrics },
    order: { seed, shuffle },
    scalesLoss: spec.lossScale !== undefined,
  });

  const { layout } = engine;
  const kernels = await fastestKernels(arena);
  const loops = new CompiledLoops(kernels, arena);
  const createRule = (options: RunSpec['optimizer']['options']) =>
    loops.optimizer(createOptimizer(spec.optimizer.name, options, trainedPart(layout).tensors));
  const rule = createRule(spec.optimizer.options);
  const state = new TrainingState(
    arena,
    layout,
    spec.localSteps ? withOuterMomentum(rule) : rule,
    spec.globalBatchSize,
    spec.lossScale,
  );
  if (spec.resume) {
    const { file } = decodeCheckpoint(await fetchOnce(spec.resume, needs), resumeName);
    adoptState(state, stateVectorsFrom(file, layout, resumeName));
  } else {
    const weights = new Float32Array(layout.weightCount);
    if (spec.init)
      weights.set(weightsFrom(decodeSafetensors(await loadBlob(spec.init, needs), initName), layout, initName));
    else initialiseWeights(layout, seed, weights, model.topology);
    state.initialise(weights, spec.learningRate);
  }

  const vectors = arenaVectors(arena, kernels);
  return {
    spec,
    arena,
    engine,
    state,
    sumOfSquares: loops.sumOfSquares,
    learningRateOf: learningRateOf(spec),
    scaledStepAt: scaledStepAt(spec, createRule),
    workspace: new Workspace(vectors),
    residuals: new Workspace(vectors),
    gradientSum: arena.float32(stepSumLength(layout)),
    ...(spec.localSteps ? { differences: differencesOf(layout, arena) } : {}),
    evaluationSum: arena.float32(evaluationLength(spec.metrics)),
    best: undefined,
    checkpoint: undefined,
  };
}

function threadsInWords(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

function differencesOf({ weightCount }: ParameterLayout, arena: Arena): NonNullable<PreparedRun['differences']> {
  const length = weightCount + evaluationCount;
  return { own: arena.float32(length), sum: arena.float32(length) };
}

async function loadImages(spec: RunSpec, needs: PrepareNeeds): Promise<ResidentImages> {
  const whole = { train: await loadPart(spec, 'train', needs), test: await loadPart(spec, 'test', needs) };
  return holdOut(whole, spec.dataset.validationLength ?? 0);
}

async function loadPart({ dataset }: RunSpec, part: 'train' | 'test', needs: PrepareNeeds): Promise<EncodedImages> {
  const load = async (role: DatasetRole) => {
    const file = dataset.files.find((f) => f.role === role)!;
    return { path: `${role} (${file.sha256.slice(0, 12)})`, content: await loadBlob(file, needs) };
  };
  return encodedImages(await load(`${part}-images`), await load(`${part}-labels`));
}

/** From the cache; else from the coordinator, through the cache. */
async function loadBlob(
  { sha256, bytes }: Blob,
  { cache, fetchBlob, log }: PrepareNeeds,
): Promise<Uint8Array<SharedArrayBuffer>> {
  const cached = await cache.get(sha256);
  if (cached) return cached;
  log.info(`fetching ${sha256.slice(0, 12)} (${(bytes / 1e6).toFixed(1)} MB) from the coordinator`);
  await cache.put(sha256, fetchBlob(sha256));
  const fetched = await cache.get(sha256);
  if (!fetched) throw new Error(`blob ${sha256} vanished from the cache`);
  return fetched;
}

/** Without the cache, where it would push out data sets: nobody asks for it twice. */
async function fetchOnce({ sha256, bytes }: Blob, { fetchBlob, log }: PrepareNeeds): Promise<Uint8Array> {
  log.info(`fetching the state to go on from (${(bytes / 1e6).toFixed(1)} MB)`);
  const content = Buffer.alloc(bytes);
  let length = 0;
  for await (const chunk of fetchBlob(sha256)) {
    content.set(chunk.subarray(0, bytes - length), length);
    length += chunk.length;
  }
  if (length !== bytes) throw fault('CHECKPOINT_INCOMPLETE', { bytes: length, expected: bytes });
  return content; //                                                its reader checks its own checksum
}
