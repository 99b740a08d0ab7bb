import { factsOf } from '../../config/sources.js';
import { evaluateTrained } from '../../engine/evaluate-trained.js';
import type { EngineName } from '../../engine/engine.js';
import { readTrainedModel } from '../../engine/trained-model.js';
import type { SetName } from '../../own/definition.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { openTestSamples } from '../test-samples.js';
import { lossText, plural } from '../view/wording.js';

export interface EvaluateOptions {
  readonly model: string;
  readonly module?: string;
  readonly dataset?: string;
  readonly set?: string;
  readonly engine: string;
  readonly json?: boolean;
}

const setNames: readonly string[] = ['train', 'validation', 'test'] satisfies SetName[];

/** `lockstep evaluate`: loss, accuracy and metrics of a trained model on a set of samples. */
export async function run(options: EvaluateOptions, { stdout }: CommandContext): Promise<void> {
  const { engine: wanted, set } = options;
  if (!factsOf('engine').schema.safeParse(wanted).success)
    throw cliFault('BAD_CHOICE', {
      flag: '--engine',
      given: wanted,
      choices: 'the engines of `lockstep engines`, auto',
    });
  if (set !== undefined && !setNames.includes(set))
    throw cliFault('BAD_CHOICE', { flag: '--set', given: set, choices: setNames.join(', ') });
  const trained = await readTrainedModel(options.model);
  const samples = await openTestSamples(options.model, trained, { ...options, set: set as SetName | undefined });
  try {
    const { loss, accuracy, metrics, engine } = await evaluateTrained(trained, samples, wanted as EngineName | 'auto');
    const facts = {
      model: trained.model.name,
      dataset: samples.name,
      set: samples.set,
      samples: samples.length,
      engine,
    };
    const named = samples.metrics ? { testMetrics: metrics } : {};
    if (options.json)
      stdout.write(`${JSON.stringify({ ...facts, testLoss: loss, testAccuracy: accuracy, ...named })}\n`);
    else {
      const share = accuracy === null ? [] : [`accuracy ${accuracy.toFixed(4)}`];
      const others = Object.entries(metrics).map(([name, value]) => `${name} ${lossText(value)}`);
      const figures = [...share, `loss ${lossText(loss)}`, ...others].join(', ');
      const count = plural(samples.length, 'sample');
      stdout.write(`${facts.model}: ${figures}; ${count}, ${facts.set} of ${facts.dataset}, engine ${engine}\n`);
    }
  } finally {
    await samples.close();
  }
}
