import { field, runCommands as run } from './field.js';
import { moduleFile, nameOrFile, oneOf } from './values.js';

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
