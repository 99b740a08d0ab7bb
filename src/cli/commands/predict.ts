import { readInputs } from '../../data/input-file.js';
import { TrainedLayers } from '../../engine/op-by-op/trained-layers.js';
import { readTrainedModel } from '../../engine/trained-model.js';
import type { CommandContext } from '../context.js';

export interface PredictOptions {
  readonly model: string;
  readonly json?: boolean;
}

/** `lockstep predict`: what a trained model says, one line a sample. */
export async function run(
  inputs: readonly string[],
  { model: where, json }: PredictOptions,
  { stdout }: CommandContext,
): Promise<void> {
  const trained = await readTrainedModel(where);
  const layers = await TrainedLayers.load(trained);
  const { inputScaling, loss = 'softmaxCrossEntropy' } = trained.model;
  for (const input of inputs) {
    const { count, x } = await readInputs(input, layers.inputShape, inputScaling);
    for (const [index, outputs] of layers.predict(x, count).entries()) {
      const answer = loss === 'softmaxCrossEntropy' ? classOf(outputs) : {};
      if (json) stdout.write(`${JSON.stringify({ input, index, ...answer, outputs: [...outputs] })}\n`);
      else stdout.write(`${input} ${index}: ${inWords(answer, outputs)}\n`);
    }
  }
}

interface Answer {
  readonly class?: number;
  readonly probability?: number;
}

function classOf(logits: Float32Array): Answer {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return { class: logits.indexOf(largest), probability: 1 / sum };
}

function inWords({ class: label, probability = 0 }: Answer, outputs: Float32Array): string {
  if (label !== undefined) return `class ${label} (${(probability * 100).toFixed(1)} %)`;
  return Array.from(outputs, (value) => String(Number(value.toPrecision(6)))).join(' ');
}
