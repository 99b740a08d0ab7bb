import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../../core/clock.js';
import { chooseEngine } from '../../engine/choose-engine.js';
import type { EngineName } from '../../engine/engine.js';
import { inspectEngines, type EngineReport } from '../../engine/inspect-engines.js';
import type { ModelSpec } from '../../engine/model-spec.js';
import { buildModelSpec } from '../../engine/models/index.js';
import { trialStep } from '../../engine/trial-step.js';
import type { CommandContext } from '../context.js';
import { runExplain } from './explain-plan.js';

/** How long each engine is measured, at least one call. */
const measuredMs = 500;
/** Samples of a call; the reference takes tens of milliseconds for one. */
const batchOf: Readonly<Record<EngineName, number>> = { native: 128, wasm: 128, cpu: 1, webgpu: 128, tensorflow: 128 };

/** `lockstep engines`: what computes gradients here, which of them `auto` takes, and how fast each is. */
export async function run(
  { json, explain }: { readonly json: boolean; readonly explain?: string },
  context: CommandContext,
): Promise<void> {
  if (explain !== undefined) return runExplain(explain, json, context);
  const { stdout } = context;
  const model = buildModelSpec('lenet5');
  const choice = chooseEngine('auto', model);
  for (const report of await inspectEngines()) {
    const { engine, gpu, available } = report;
    const isLoud = engine === 'tensorflow';
    const speed = (): Promise<number> => measure(engine, model, systemClock, gpu);
    const imagesPerSecond = available ? rounded(isLoud ? measureApart(engine, model) : await speed()) : undefined;
    const chosen = report.engine === choice.engine;
    if (json) stdout.write(`${JSON.stringify({ ...report, chosen, model: model.name, imagesPerSecond })}\n`);
    else stdout.write(`${line(report, chosen, imagesPerSecond)}\n`);
  }
  if (!json) stdout.write(`* is taken: ${choice.reason}\n`);
}

/** Forward and backward on one thread, images a second: the fastest call counts, since a call can only be disturbed. */
export async function measure(engine: EngineName, model: ModelSpec, clock: Clock, gpu?: string): Promise<number> {
  const m = batchOf[engine];
  const step = await trialStep(engine, model, m, gpu);
  await step(); //                                            what is compiled when it is first used is not measured
  const begin = clock.nowMs();
  let best = Infinity;
  for (let now = begin; now - begin < measuredMs;) {
    await step();
    const after = clock.nowMs();
    best = Math.min(best, after - now);
    now = after;
  }
  return (m / best) * 1e3;
}

/** In a process of its own, without its stderr: libtensorflow writes there, whatever it is told. */
function measureApart(engine: EngineName, model: ModelSpec): number {
  const program = fileURLToPath(new URL('./measure-engine-main.js', import.meta.url));
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return Number(
    spawnSync(process.execPath, [program, engine, model.name], { encoding: 'utf8', stdio: [...stdio] }).stdout,
  );
}

/** Three digits tell all: on a busy machine the reference does less than one image a second. */
const rounded = (rate: number): number => Number(rate.toPrecision(3));

function line(report: EngineReport, chosen: boolean, imagesPerSecond: number | undefined): string {
  const name = `${chosen ? '*' : ' '} ${report.engine.padEnd(11)}`;
  if (!report.available) return `${name}not available: ${report.reason}; remedy: ${report.remedy}`;
  const bits = report.deterministic ? 'deterministic' : 'not deterministic';
  const speed = `${imagesPerSecond ?? 0} images/s (lenet5)`;
  const device = report.gpu === undefined ? report.device : `${report.gpu}: ${report.device}`;
  return `${name}${report.version.padEnd(35)} ${device.padEnd(34)} ${bits.padEnd(19)}${speed.padStart(24)}`;
}
