import type { FieldName } from '../config/schema.js';
import { factsOf, type FlagValues } from '../config/sources.js';

/** A sweep that is described in the documentation. Whatever else is given is stronger. */
export interface Preset {
  readonly about: string;
  readonly flags: FlagValues;
  /** In the form of --target-accuracy. */
  readonly targets: string;
  /** Whether a trial goes on behind its highest target. */
  readonly beyondTarget: boolean;
}

const flagsOf = (flags: Partial<Record<FieldName, string | readonly string[]>>): FlagValues =>
  new Map(Object.entries(flags) as [FieldName, string | readonly string[]][]);

/** The experiment that this project grew from: LeNet of the Theano tutorial, plain SGD, twelve batch sizes. */
const seed = {
  model: 'lenet',
  optimizer: 'sgd',
  learningRate: '0.1',
  globalBatchSize: '5000,2000,1000,500,256,100,50,20,10,5,2,1',
  validationLength: '10000',
  epochs: '200',
} as const;

/**
 * One rule for all columns. What bounds plain descent is curvature: it needs lr < 2 / curvature, and this net learns nothing
 * with a rate of 1, nor with 0.5 and momentum where it rises to that slowly. LAMB's rate is the share of its length by which a
 * tensor changes in a step, so that curvature does not bound it so soon and it can grow with the batch: a twentieth of the
 * updates, each twenty times as long. One cycle begins low, while curvature is largest, and ends at 0, which does for large
 * batches what noise would not. Weight decay keeps them from fitting the training samples before they have found what holds
 * for others. Chosen on the held-out samples.
 */
const scaled = {
  optimizer: 'lamb',
  optimizerOptions: ['weightDecay=0.1'],
  learningRate: '0.0015',
  learningRateSchedule: 'one-cycle',
  epochs: '20',
  learningRateScaling: 'linear',
  baseBatchSize: '256',
  globalBatchSize: '5000,2000,1000,500,256',
} as const;

export const presets = {
  seed: {
    about: 'LeNet, SGD with one learning rate for twelve batch sizes from 1 to 5000, 50,000 images to train on',
    flags: flagsOf(seed),
    targets: '0.97,0.98,0.99',
    beyondTarget: false,
  },
  'seed-scaled': {
    about:
      'the large batches with a learning rate in proportion to the batch: LAMB, weight decay, one cycle over 20 epochs',
    flags: flagsOf({ ...seed, ...scaled }),
    targets: '0.97,0.98,0.99',
    beyondTarget: true,
  },
  'fast-99': {
    about: '99 % in one epoch: a small net, Adam and one cycle, five seeds on 1, 2 and 4 workers',
    flags: flagsOf({
      model: 'fast',
      optimizer: 'adam',
      learningRate: '0.01',
      optimizerOptions: ['beta1=0.7', 'beta2=0.9'],
      learningRateSchedule: 'one-cycle',
      globalBatchSize: '256',
      epochs: '1',
      seed: '1,2,3,4,5',
      workers: '1,2,4',
    }),
    targets: '0.99',
    beyondTarget: true,
  },
  'full-batch': {
    about: 'one step an epoch: Rprop, which needs the whole gradient, beside RMSprop and Adam',
    flags: flagsOf({
      model: 'lenet5',
      optimizer: 'rprop,rmsprop,adam',
      learningRate: '0.001',
      globalBatchSize: 'full',
      validationLength: '10000',
      epochs: '100',
    }),
    targets: '0.9,0.95,0.97',
    beyondTarget: true,
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

/** What was given, over what the preset says. */
export function withPreset(preset: Preset | undefined, given: FlagValues): FlagValues {
  const flags = new Map(preset?.flags);
  for (const [name, value] of given) {
    const rival = factsOf(name).insteadOf as FieldName | undefined;
    if (rival !== undefined) flags.delete(rival);
    flags.set(name, value);
  }
  return flags;
}
