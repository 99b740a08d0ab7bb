/**
 * Forward and backward of one micro-batch on one thread, for each built-in model.
 *
 *     npm run build && node dist/bench/engine.js [--json] [--engine wasm] [--models lenet5,fast] [--micro-batches 32,64,128]
 *
 * Takes the median of 30 calls after 10 that are not counted, with random pixels; models and sizes are interleaved, so
 * that a noisy minute meets them all. `--json` prints an object a line. What it is compared with: bench/peers/.
 */
import { parseArgs } from 'node:util';

import { createArena } from '../src/core/arena.js';
import { randomStream } from '../src/core/random.js';
import { createEngine } from '../src/engine/choose-engine.js';
import { extraCount, type EngineName } from '../src/engine/engine.js';
import { initialiseWeights } from '../src/engine/initial-weights.js';
import { buildModelSpec } from '../src/engine/models/index.js';
import { modelNames } from '../src/engine/models/names.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    engine: { type: 'string', default: 'wasm' },
    models: { type: 'string', default: modelNames.join(',') },
    'micro-batches': { type: 'string', default: '32,64,128' },
    repeats: { type: 'string', default: '30' },
  },
});

interface Candidate {
  readonly model: string;
  readonly microBatchSize: number;
  /** Runs once. @returns milliseconds */
  readonly measure: () => Promise<number>;
  readonly milliseconds: number[];
}

async function candidate(model: string, microBatchSize: number): Promise<Candidate> {
  const arena = createArena();
  const engine = await createEngine(flags.engine as EngineName, {
    model: buildModelSpec(model),
    microBatchSize,
    arena,
  });
  const weights = arena.float32(engine.layout.parameterCount);
  const sum = arena.float32(engine.layout.parameterCount + extraCount);
  initialiseWeights(engine.layout, 1, weights);
  const random = randomStream(1, model);
  engine.x.forEach((_, i) => (engine.x[i] = random.uniform()));
  engine.y.forEach((_, i) => (engine.y[i] = i % 10));
  const measure = async (): Promise<number> => {
    const begin = performance.now();
    await engine.gradientSum(microBatchSize, weights, sum);
    return performance.now() - begin;
  };
  return { model, microBatchSize, measure, milliseconds: [] };
}

const repeats = Number(flags.repeats);
const candidates: Candidate[] = [];
for (const model of flags.models.split(',')) {
  for (const size of flags['micro-batches'].split(',')) candidates.push(await candidate(model, Number(size)));
}
for (let i = -Math.ceil(repeats / 3); i < repeats; i++) {
  for (const { measure, milliseconds } of candidates) {
    const spent = await measure();
    if (i >= 0) milliseconds.push(spent);
  }
}
for (const { model, microBatchSize, milliseconds } of candidates) {
  const median = milliseconds.sort((a, b) => a - b)[Math.floor(repeats / 2)]!;
  const result = {
    model,
    microBatchSize,
    milliseconds: median,
    imagesPerSecond: Math.round((microBatchSize / median) * 1e3),
  };
  if (flags.json) console.log(JSON.stringify({ engine: flags.engine, ...result }));
  else
    console.log(
      `${model.padEnd(8)}${String(microBatchSize).padStart(4)}${median.toFixed(2).padStart(10)} ms${String(result.imagesPerSecond).padStart(9)} images/s`,
    );
}
