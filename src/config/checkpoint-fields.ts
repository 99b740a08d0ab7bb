import { field, runCommands as run } from './field.js';
import { count, intervalOrOff, text } from './values.js';

/** How often the training state is saved, and where. */
export const checkpointFields = {
  checkpointEvery: field('checkpoint-every', intervalOrOff, {
    group: 'Results',
    commands: run,
    placeholder: '1epoch|off',
    default: { every: 1, unit: 'epoch' },
    mayChange: true,
    about:
      'How often the training state is saved, for --resume, in steps or epochs (500steps), or off. Training goes on meanwhile; one worker holds a third copy of its state. The end of the run is saved in any case.',
  }),
  checkpointDir: field('checkpoint-dir', text, {
    group: 'Results',
    commands: run,
    placeholder: 'DIR',
    mayChange: true,
    otherwise: "the run's folder, to which the coordinator fetches them",
    about:
      "A folder that all machines share: the worker that copied the state writes the checkpoint there, in a folder by the run's name, and it does not pass through the coordinator, which keeps a link to it in checkpoints/. If the writer is lost, the next checkpoint is another worker's.",
  }),
  keepCheckpoints: field('keep', count, {
    group: 'Results',
    commands: run,
    placeholder: 'N',
    default: 2,
    mayChange: true,
    about: 'How many checkpoints stay; older ones are removed.',
  }),
} as const;
