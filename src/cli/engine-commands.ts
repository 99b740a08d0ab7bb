/** `lockstep engines`: what there is, and what can be had. */

import type { Command as Commander } from 'commander';
import type { InstallTensorflowOptions } from './commands/install-tensorflow.js';

export interface EngineActions {
  /** `engines` */
  engines(options: { readonly json: boolean; readonly explain?: string }): Promise<void>;
  /** `engines install tensorflow` */
  installTensorflow(options: InstallTensorflowOptions): Promise<void>;
}

export function addEngineCommands(program: Commander, actions: EngineActions): void {
  const engines = program
    .command('engines')
    .copyInheritedSettings(program)
    .summary('list the engines of this machine, which one auto takes, and how fast each is; install one')
    .description('Lists the engines, which one auto takes and why, and measures each on lenet5, on one thread.')
    .usage('[options]')
    .allowExcessArguments(false)
    .option(
      '--explain <MODEL|FILE.json>',
      'print the plan of a model, kernel by kernel, with the share of the peak that each reaches',
    )
    .option('--json', 'print one JSON object a line')
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text')
    .action(async ({ json = false, ...more }: { json?: boolean; explain?: string }) =>
      actions.engines({ json, ...more }),
    );
  engines
    .command('install')
    .copyInheritedSettings(program)
    .summary('put together the engine tensorflow')
    .description('Puts together what an engine needs beside this package, in the cache folder of this user.')
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text')
    .command('tensorflow')
    .copyInheritedSettings(program)
    .summary('build the binding of tfjs-node against the libtensorflow of a Python wheel')
    .description(
      'Fetches @tensorflow/tfjs-node and the wheel of TensorFlow, and compiles the binding between them. Needs npm, Python with pip, and a C++ compiler. Does nothing where it was done before.',
    )
    .allowExcessArguments(false)
    .option('--gpu', 'the wheel for CUDA, with the CUDA libraries that it wants; needs the driver of NVIDIA')
    .option('--from <WHEEL|DIR>', 'a wheel that is here already, or the site-packages folder of an installed one')
    .option('--json', 'print one JSON object')
    .helpOption('-h, --help', 'print this text')
    .action(async (options: InstallTensorflowOptions) => actions.installTensorflow(options));
}
