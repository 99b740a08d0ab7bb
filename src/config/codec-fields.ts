import { field, runCommands as run } from './field.js';
import { count, oneOf, positive, share, shareBelowOne } from './values.js';

/** What is lost on the wire. It changes the result, so it belongs to the run's spec. */
export const codecFields = {
  codec: field('codec', oneOf(['f32', 'bf16', 'int8', 'topk']), {
    group: 'Network',
    commands: run,
    placeholder: 'f32|bf16|int8|topk',
    default: 'f32',
    about:
      'How gradients travel. `f32`: as they are; the others are for slow networks and lose something: `bf16` half of the bytes, `int8` three quarters, `topk` all but the largest values. With them the result depends on the number of workers. What `int8` and `topk` leave out is added to the next step.',
  }),
  topkRatio: field('topk-ratio', share, {
    group: 'Network',
    commands: run,
    placeholder: 'SHARE',
    // With 0.01 MNIST lost 2.7 points of test accuracy after 3 epochs, with 0.1 a third of a point, with 0.2 nothing that
    // can be told from chance (bench/accuracy.ts).
    default: 0.2,
    about: 'Share of the values that `--codec topk` sends, at six bytes each.',
  }),
  codecRounding: field('codec-rounding', oneOf(['nearest', 'stochastic']), {
    group: 'Network',
    commands: run,
    placeholder: 'HOW',
    default: 'nearest',
    about:
      'How `--codec int8` rounds: `nearest`, to steps of 1/127 of the largest value nearby, or `stochastic`, up or down at random and right on average, which takes longer.',
  }),
} as const;

/** Training that exchanges now and then (DiLoCo, Douillard et al. 2023). */
export const localStepFields = {
  syncEvery: field('sync-every', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'H',
    otherwise: 'an exchange for every batch',
    about:
      'Exchange once for every H batches, for networks that are very slow: between, each worker trains on its own share of them, then the differences are averaged and taken by an outer step (DiLoCo). A step of the run is then H batches, fewer at the end of an epoch. Not with --batch-per-worker. The result depends on the number of workers.',
  }),
  outerLearningRate: field('outer-lr', positive, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'RATE',
    default: 0.7,
    about: 'Learning rate of the outer step of --sync-every; 1 with an outer momentum of 0 is plain averaging.',
  }),
  outerMomentum: field('outer-momentum', shareBelowOne, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'SHARE',
    default: 0.9,
    about: 'Nesterov momentum of the outer step of --sync-every.',
  }),
} as const;
