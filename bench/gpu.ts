/**
 * The plans of the engine `webgpu` on a GPU beside PyTorch on the same one: bench/gpu.sh, which says how to run it.
 *
 * A step is the same on both sides: samples and weights on the device, forward, backward, and all gradients back here (of
 * PyTorch as one copy into pinned memory). Ours brings new weights with every step besides. Every round measures each
 * candidate a few times and keeps the median; the figure is the median of the rounds, and a ratio that of the rounds' ratios.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { createArena } from '../src/core/arena.js';
import { randomStream } from '../src/core/random.js';
import { imagesDataset, type EncodedImages } from '../src/data/encoded-images.js';
import { initialiseWeights } from '../src/engine/initial-weights.js';
import { buildModelSpec } from '../src/engine/models/index.js';
import { readTopology } from '../src/engine/topology.js';
import { openGpu } from '../src/engine/webgpu/device.js';
import { WgslEngine } from '../src/engine/wgsl/engine.js';
import { measureDevice } from './gpu/device-speed.js';
import { profile } from './gpu/profile.js';
import { sweep } from './gpu/sweep.js';
import { startTorch, type Torch } from './gpu/torch.js';
import { operationsOf } from './gpu/work.js';
import { median, timed } from './timing.js';

const { values: flags } = parseArgs({
  options: {
    gpu: { type: 'string', default: 'auto' },
    python: { type: 'string', default: 'python3' },
    'torch-device': { type: 'string', default: 'cuda' },
    models: { type: 'string', default: 'lenet5,fast,lenet' },
    batches: { type: 'string', default: '128,512,2048,8192,16384' },
    profiles: { type: 'string', default: '128,4096' },
    rounds: { type: 'string', default: '7' },
    compile: { type: 'boolean', default: false },
    sweep: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
if (flags.quick) Object.assign(flags, { models: 'lenet5', batches: '4', profiles: '4', rounds: '1' });

const rounds = Number(flags.rounds);
const results: Record<string, unknown>[] = [];

function keep(result: Record<string, unknown>): void {
  results.push(result);
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(results, undefined, 1)}\n`);
}

const gpu = await openGpu(flags.gpu, { ownKernels: true });
const { device, info } = gpu;
const speed = await measureDevice(device, flags.quick);
console.log(
  `${info.device}, ${info.description}; Node ${process.versions.node}; ${new Date().toISOString().slice(0, 10)}`,
);
console.log(
  `${flags.quick ? 'tried, not measured' : 'measured there'}: ${speed.teraflops.toFixed(1)} TFLOP/s of float32, ${speed.gigabytes.toFixed(0)} GB/s, ` +
    `${speed.answer.toFixed(3)} ms to the answer of an empty submission`,
);
keep({ kind: 'device', name: info.device, driver: info.description, ...speed });

/** MNIST's form, any pixels. */
function someImages(count: number): EncodedImages {
  const random = randomStream(1, 'images');
  const images = new Uint8Array(new SharedArrayBuffer(count * 784));
  const labels = new Uint8Array(new SharedArrayBuffer(count));
  const words = new Uint32Array(images.buffer);
  for (let i = 0; i < words.length; i++) words[i] = random.uint32();
  for (let i = 0; i < count; i++) labels[i] = i % 10;
  return { images, labels, count, rows: 28, columns: 28, channels: 1, classes: 10 };
}

interface Case {
  readonly model: string;
  readonly batch: number;
  readonly operations: number;
  readonly bytes: number;
  readonly step: () => Promise<void>;
  /** Milliseconds of a step on this side: weights, submission, waiting, copying. */
  readonly phases: () => Promise<readonly number[]>;
}

async function prepare(model: string, batch: number): Promise<Case & { readonly engine: WgslEngine }> {
  const spec = buildModelSpec(model);
  const train = imagesDataset(someImages(batch), spec.inputScaling);
  const arena = createArena();
  const engine = await WgslEngine.create(gpu, { model: spec, microBatchSize: batch, arena, train });
  const weights = arena.float32(engine.layout.weightCount);
  initialiseWeights(engine.layout, 1, weights);
  const values = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
  const samples = Uint32Array.from({ length: batch }, (_, i) => i);
  const work = { samples, place: { epoch: 0, position: 0 }, nodes: [{ first: 0, end: 1, values }] };
  return {
    ...{ model, batch, engine },
    operations: operationsOf(readTopology(spec)) * batch,
    bytes: engine.plan.gradient.reduce((sum, { bytes }) => sum + bytes, 0),
    async step() {
      await engine.setWeights(weights);
      await engine.ranges!.sums(work);
    },
    async phases() {
      const begin = performance.now();
      await engine.setWeights(weights);
      const brought = performance.now();
      const done = engine.ranges!.sums(work);
      const submitted = performance.now();
      await device.queue.onSubmittedWorkDone();
      const computed = performance.now();
      await done;
      return [brought - begin, submitted - brought, computed - submitted, performance.now() - computed];
    },
  };
}

const repeatsOf = (batch: number): number => (flags.quick ? 1 : batch > 2048 ? 5 : 15);

async function compare(one: Case, torch: Torch | undefined, compile: boolean): Promise<void> {
  const { model, batch, operations, bytes } = one;
  const repeats = repeatsOf(batch);
  const [ours, theirs]: [number[], Record<string, number>[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const spent = await timed(one.step, repeats);
    const times = torch && (await torch.measure({ model, batch, repeats, compile }));
    if (round < 0) continue; //                                  the first round warms up
    ours.push(spent);
    if (times) theirs.push(times);
  }
  const milliseconds = median(ours);
  const images = (ms: number): string => Math.round((batch / ms) * 1e3).toLocaleString('en');
  const share = (x: number): string => `${(100 * x).toFixed(0)} %`.padStart(6);
  const variants = Object.keys(theirs[0] ?? {});
  const peers = variants.map((name) => {
    const ms = median(theirs.map((times) => times[name]!));
    const ratio = median(ours.map((own, i) => theirs[i]![name]! / own));
    keep({ kind: 'torch', variant: name, model, batch, milliseconds: ms, ratio });
    return `${name} ${ms.toFixed(3)} ms, ${images(ms)}/s, ratio ${ratio.toFixed(2)}`;
  });
  const [flops, moved] = [
    operations / milliseconds / 1e9 / speed.teraflops,
    bytes / milliseconds / 1e6 / speed.gigabytes,
  ];
  keep({ kind: 'step', model, batch, milliseconds, imagesPerSecond: (batch / milliseconds) * 1e3, flops, moved });
  console.log(
    `${model.padEnd(7)}${String(batch).padStart(6)}${milliseconds.toFixed(3).padStart(10)} ms${images(milliseconds).padStart(12)}/s` +
      `${share(flops)} of the arithmetic${share(moved)} of the memory   ${peers.join('; ') || 'PyTorch: not run'}`,
  );
}

const torch = await startTorch(flags.python, flags['torch-device']);
console.log(typeof torch === 'string' ? `PyTorch: not run: ${torch}` : `${torch.version}, TF32 off`);
const peer = typeof torch === 'string' ? undefined : torch;
const cases: Case[] = [];
for (const model of flags.models.split(',')) {
  for (const batch of flags.batches.split(',').map(Number)) {
    const begin = performance.now();
    const one = await prepare(model, batch);
    const compiled = (performance.now() - begin) / 1e3;
    if (batch === Number(flags.batches.split(',')[0])) console.log(`${model}: ${compiled.toFixed(1)} s to compile`);
    cases.push(one);
    await compare(one, peer, false);
  }
}

for (const model of flags.models.split(',')) {
  for (const batch of flags.profiles.split(',').map(Number)) {
    const { engine, step, phases } = await prepare(model, batch);
    await step(); //                                            brings the samples, and says how many they are
    const times = await profile(
      device,
      engine.plan.gradient,
      { samples: batch, microBatch: batch },
      flags.quick ? 1 : 15,
    );
    if (!times) continue;
    const whole = times.reduce((sum, { microseconds }) => sum + microseconds, 0);
    const all: (readonly number[])[] = [];
    for (let i = 0; i < (flags.quick ? 1 : 15); i++) all.push(await phases());
    const spent = ['weights', 'submission', 'waiting', 'copying'].map(
      (phase, k) => `${phase} ${median(all.map((one) => one[k]!)).toFixed(3)}`,
    );
    console.log(`${model}, batch ${batch}: ms here: ${spent.join(', ')}`);
    console.log(`${model}, batch ${batch}, kernel by kernel: ${whole.toFixed(0)} us`);
    for (const { name, microseconds, groups } of times)
      console.log(`  ${name.padEnd(18)}${microseconds.toFixed(1).padStart(9)} us  ${groups.join(' x ')}`);
    keep({ kind: 'profile', model, batch, times });
  }
}

if (flags.sweep) await sweep(device, flags.models.split(','), flags.profiles.split(',').map(Number), flags.quick);

if (flags.compile && peer) {
  console.log('with torch.compile, in turns again:');
  for (const one of cases) await compare(one, peer, true);
}
peer?.stop();
gpu.close();
