import { systemClock } from '../../core/clock.js';
import { chooseEngine } from '../../engine/choose-engine.js';
import { explain, type ExplainedKernel } from '../../engine/explain.js';
import { isModelFile, readModelFile } from '../../engine/model-file.js';
import { buildModelSpec } from '../../engine/models/index.js';
import type { CommandContext } from '../context.js';

/** Samples of a micro-batch: enough that weights are read from near. */
const microBatchSize = 128;

/** `lockstep engines --explain MODEL`: the plan of a model, kernel by kernel, with what each takes here. */
export async function runExplain(modelName: string, json: boolean, { stdout }: CommandContext): Promise<void> {
  const model = isModelFile(modelName) ? (await readModelFile(modelName)).spec : buildModelSpec(modelName);
  const { engine } = chooseEngine('auto', model);
  const name = engine === 'native' ? 'native' : 'wasm'; //        where no plan covers the model this says which layer
  const { kernels, samples, peak, bytes } = await explain(name, model, microBatchSize, systemClock);
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const facts = { model: model.name, engine: name, samples, peakMultiplyAddsPerSecond: peak, planBytes: bytes };
  if (json) {
    stdout.write(`${JSON.stringify({ ...facts, milliseconds: total })}\n`);
    for (const kernel of kernels) stdout.write(`${JSON.stringify({ ...kernel, shareOfPeak: share(kernel, peak) })}\n`);
    return;
  }
  stdout.write(
    `${model.name} on ${name}, ${samples} samples at once: ${total.toFixed(2)} ms, ${Math.round((samples / total) * 1e3)} images/s, ` +
      `${(bytes / 1e6).toFixed(1)} MB; peak ${(peak / 1e9).toFixed(1)} G multiply-adds/s\n`,
  );
  stdout.write(`${row('layer', 'kernel', 'shapes', 'M mul-adds', 'MB', 'ms', 'of time', 'of peak')}\n`);
  for (const kernel of kernels) stdout.write(`${line(kernel, total, peak)}\n`);
  const work = kernels.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  stdout.write(
    `${row('', 'all', '', mega(work), '', total.toFixed(3), '100 %', percent((work * 1e3) / total / peak))}\n`,
  );
}

/** What the kernel reaches of the peak; above what it can where it leaves out zeros. */
function share({ multiplyAdds, milliseconds }: ExplainedKernel, peak: number): number {
  return milliseconds === 0 ? 0 : (multiplyAdds * 1e3) / milliseconds / peak;
}

function line(kernel: ExplainedKernel, total: number, peak: number): string {
  const { pass, layer, kernel: name, shapes, multiplyAdds, bytes, milliseconds } = kernel;
  return row(
    layer,
    pass === 'packing' ? `${name} (once a step)` : name,
    shapes,
    multiplyAdds === 0 ? '' : mega(multiplyAdds),
    (bytes / 1e6).toFixed(2),
    milliseconds.toFixed(3),
    percent(milliseconds / total),
    multiplyAdds === 0 ? '' : percent(share(kernel, peak)),
  );
}

function row(layer: string, kernel: string, shapes: string, ...figures: readonly string[]): string {
  return `${layer.padEnd(12)}${kernel.padEnd(32)}${shapes.padEnd(30)}${figures.map((f) => f.padStart(11)).join('')}`;
}

const mega = (count: number): string => (count / 1e6).toFixed(2);
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
