import { field } from './field.js';
import { count, countOrAuto, oneOf, text } from './values.js';

/** On what of its machine a worker computes. Each machine has its own, and none of it changes the result. */
export const placementFields = {
  gpu: field('gpu', text, {
    group: 'Cluster',
    commands: ['train', 'worker'],
    placeholder: 'INDEX|NAME',
    default: 'auto',
    local: true,
    about:
      'The GPU of `--engine webgpu`: its index or a part of its name, as `lockstep engines` lists them. `auto` is the first one; software that plays a GPU is taken only by name.',
  }),
  threads: field('threads', countOrAuto, {
    group: 'Cluster',
    commands: ['train', 'worker'],
    placeholder: 'T|auto',
    default: 'auto',
    defaultOf: { worker: 1 },
    local: true,
    about:
      'Threads over which a worker spreads its micro-batches. No number of threads changes the result. `auto` is the number of cores, divided among the workers of the machine.',
  }),
  engineThread: field('engine-thread', oneOf(['auto', 'own', 'main']), {
    group: 'Cluster',
    commands: ['train', 'worker'],
    placeholder: 'auto|own|main',
    default: 'auto',
    local: true,
    about:
      'Where the engine of a worker with one thread computes: in a thread of its `own`, or in the `main` one, which exchanges between two micro-batches. Neither changes the result. `main` saves handovers where each core has one worker, so `auto` takes it there for models whose micro-batches are short; what is no plan on our own kernels always has its own.',
  }),
  localWorkers: field('local-workers', count, {
    group: 'Cluster',
    commands: ['worker'],
    placeholder: 'N',
    default: 1,
    local: true,
    about:
      'Workers on this machine, this one among them, for which `--threads auto` divides the cores, and by which `--engine-thread auto` decides. `train` and agents say it to theirs.',
  }),
  bindTo: field('bind-to', oneOf(['none', 'core']), {
    group: 'Cluster',
    commands: ['train'],
    placeholder: 'none|core',
    default: 'none',
    local: true,
    about:
      'Whether each worker keeps to whole cores of its own, neighbours on one socket (Linux, with taskset): for machines on which several sockets, runs or programs would push each other aside. With two workers on two cores, and nothing else, neither was faster.',
  }),
} as const;
