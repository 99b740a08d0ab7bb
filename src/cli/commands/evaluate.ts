import { imagesDataset } from '../../data/encoded-images.js';
import { resolveDataset } from '../../data/sources.js';
import { factsOf } from '../../config/sources.js';
import { evaluateTrained } from '../../engine/evaluate-trained.js';
import type { EngineName } from '../../engine/engine.js';
import { readTrainedModel } from '../../engine/trained-model.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { grouped, lossText } from '../view/wording.js';

export interface EvaluateOptions {
  readonly model: string;
  readonly dataset: string;
  readonly engine: string;
  readonly json?: boolean;
}

/** `lockstep evaluate`: loss and accuracy of a trained model on the test set of a data set. */
export async function run(options: EvaluateOptions, { stdout }: CommandContext): Promise<void> {
  const { engine: wanted, dataset } = options;
  if (!factsOf('engine').schema.safeParse(wanted).success)
    throw cliFault('BAD_CHOICE', {
      flag: '--engine',
      given: wanted,
      choices: 'the engines of `lockstep engines`, auto',
    });
  const trained = await readTrainedModel(options.model);
  const { test } = await resolveDataset(dataset);
  const samples = imagesDataset(test, trained.model.inputScaling);
  const { loss, accuracy, engine } = await evaluateTrained(trained, dataset, samples, wanted as EngineName | 'auto');
  const facts = { model: trained.model.name, dataset, samples: samples.length, engine };
  if (options.json) stdout.write(`${JSON.stringify({ ...facts, testLoss: loss, testAccuracy: accuracy })}\n`);
  else {
    const share = accuracy === null ? '' : `test accuracy ${accuracy.toFixed(4)}, `;
    stdout.write(
      `${facts.model}: ${share}test loss ${lossText(loss)}, ${grouped(samples.length)} samples of ${dataset}, engine ${engine}\n`,
    );
  }
}
