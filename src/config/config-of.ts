/** The types of configurations, derived from the fields of schema.ts. */

import type { z } from 'zod';
import type { Command } from './field.js';
import type { fields } from './schema.js';

type Fields = typeof fields;
export type FieldName = keyof Fields;

/** Whether a value is always there once the configuration is loaded. */
type Settled<F> = F extends { insteadOf: string }
  ? false
  : F extends { required: true }
    ? true
    : F extends { default: unknown }
      ? true
      : false;

/** `auto` is for the one that can look what this machine has: relations.ts. */
type Counted<C extends Command, Value> = C extends 'train' ? Value : Exclude<Value, 'auto'>;

/** What a program finds in its configuration. */
export type ConfigOf<C extends Command> = {
  readonly [K in FieldName as C extends Fields[K]['commands'][number] ? K : never]: Settled<Fields[K]> extends true
    ? K extends 'workers'
      ? Counted<C, z.output<Fields[K]['schema']>>
      : Readonly<z.output<Fields[K]['schema']>>
    : Readonly<z.output<Fields[K]['schema']>> | undefined;
};

/**
 * Of `epochs` and `steps` exactly one is defined, and so of `globalBatchSize` and `batchPerWorker`. `microBatchSize` is
 * defined only if it was given.
 */
export type TrainConfig = ConfigOf<'train'>;
export type CoordinatorConfig = ConfigOf<'coordinator'>;
export type WorkerConfig = ConfigOf<'worker'>;
