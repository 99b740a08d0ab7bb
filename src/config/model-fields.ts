import { field, runCommands as run } from './field.js';
import { moduleFile, nameOrFile, oneOf, toggle } from './values.js';

export const modelFields = {
  module: field('module', moduleFile, {
    group: 'Model and data',
    commands: [...run, 'worker'],
    placeholder: 'FILE.mjs',
    otherwise: 'none',
    mayChange: true,
    about:
      "A module that defines the run: its model, data and loss (docs/own-model.md); `lockstep train FILE.mjs` means the same. Every worker has it under the same path; `lockstep worker --module` says where it lies on that worker's machine instead.",
  }),
  ship: field('ship', toggle, {
    group: 'Model and data',
    commands: run,
    default: false,
    local: true,
    about:
      'Offers the module of the run, and what it imports from its own folder, to workers that do not have it and were started with --accept-shipped; only with TLS, or on loopback. Data does not travel.',
  }),
  acceptShipped: field('accept-shipped', toggle, {
    group: 'Model and data',
    commands: ['worker'],
    default: false,
    local: true,
    about:
      'Runs the module that a coordinator with --ship sends, if there is none on this machine: code of whoever started the run, with the rights of this worker.',
  }),
  model: field('model', nameOrFile(['lenet5', 'lenet', 'fast', 'mlp'], '.json'), {
    group: 'Model and data',
    commands: run,
    placeholder: 'MODEL|FILE.json',
    default: 'lenet5',
    insteadOf: 'module',
    about:
      "The network to train: `lenet5`, `lenet`, `fast` or `mlp`; or a file with a model of TensorFlow.js, as `model.save('file://...')` writes it, whose output are logits. Weights that it has beside it are those to start from.",
  }),
  loss: field('loss', oneOf(['auto', 'softmaxCrossEntropy', 'sigmoidCrossEntropy', 'meanSquaredError']), {
    group: 'Model and data',
    commands: run,
    placeholder: 'LOSS',
    default: 'auto',
    insteadOf: 'module',
    about:
      'What is minimised. `softmaxCrossEntropy` and `sigmoidCrossEntropy` take logits, `meanSquaredError` any output; a class is a 1 among zeros for the last two, or the target itself of a model with one output. `auto`: what the file of the model was compiled with, else `softmaxCrossEntropy`.',
  }),
} as const;
