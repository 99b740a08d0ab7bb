/** The commands that use what a run left. */

import type { Command as Commander } from 'commander';
import type { EvaluateOptions } from './commands/evaluate.js';
import type { ExportOptions } from './commands/export.js';
import type { PredictOptions } from './commands/predict.js';
import type { CommandContext } from './context.js';

/** Commands and their flags, for what checks that documents show nothing else. */
export const trainedFlags: Readonly<Record<string, readonly string[]>> = {
  evaluate: ['--model', '--module', '--dataset', '--set', '--engine', '--json'],
  predict: ['--model', '--json'],
  export: ['--model', '--to', '--out'],
};

export function addTrainedCommands(program: Commander, context: CommandContext): void {
  const add = (name: string, summary: string, description: string) =>
    program
      .command(name)
      .copyInheritedSettings(program)
      .summary(summary)
      .description(description)
      .allowExcessArguments(false)
      .requiredOption('--model <RUN|FILE>', 'folder of a run, a .safetensors file of one, or a model.json with weights')
      .helpOption('-h, --help', 'print this text');
  add(
    'evaluate',
    'test a trained model on a data set',
    'Computes loss, accuracy and metrics of a trained model, by default on what its run evaluated.',
  )
    .option('--module <FILE>', "module whose data, loss and metrics are meant; default: the run's")
    .option('--dataset <mnist|DIR>', "as for train, instead of a module's data; default: the run's, or mnist")
    .option('--set <SET>', 'train, validation or test; default: what the run evaluates')
    .option('--engine <ENGINE>', 'as for train', 'auto')
    .option('--json', 'print one JSON object')
    .action(async (options: EvaluateOptions) => (await import('./commands/evaluate.js')).run(options, context));
  add('predict', 'let a trained model answer', 'Prints what a trained model says to each sample of some files.')
    .argument('<INPUT...>', 'images in IDX, plain or .gz, or arrays of NumPy, .npy')
    .option('--json', 'print one JSON object a sample, with all outputs')
    .action(async (inputs: readonly string[], options: PredictOptions) =>
      (await import('./commands/predict.js')).run(inputs, options, context),
    );
  add('export', 'write a trained model for other programs', 'Writes a trained model in the format of another program.')
    .requiredOption('--to <FORMAT>', 'tfjs (a folder), npz or safetensors (a file)')
    .requiredOption('--out <PATH>', 'what is written; it must not be there yet')
    .action(async (options: ExportOptions) => (await import('./commands/export.js')).run(options, context));
}
