/**
 * One field of the configuration: its flag, its type, and what a person needs to know about it.
 *
 * Flags, LOCKSTEP_* variables, YAML keys, `--help` and docs/configuration.md are all derived from the fields, so an
 * option is written once, in schema.ts.
 */

import type { z } from 'zod';

/** The programs that read a configuration. */
export const commands = ['train', 'coordinator', 'worker'] as const;
export type Command = (typeof commands)[number];

/** What computes is decided where the run is started: by `train`, or by the coordinator when its parts run by hand. */
export const runCommands = ['train', 'coordinator'] as const;

/** Headings of `--help`, in its order. */
export const groups = [
  'Cluster',
  'Model and data',
  'Optimizer',
  'Batches and steps',
  'Results',
  'Network',
  'Cache',
] as const;
export type Group = (typeof groups)[number];

export interface FieldFacts<Value> {
  readonly group: Group;
  readonly commands: readonly Command[];
  /** One sentence or two: meaning, unit, and what it interacts with. */
  readonly about: string;
  /** What stands for the value in `--help`: `N`, `FILE`. Absent for a switch. */
  readonly placeholder?: string;
  readonly default?: Value;
  /** A default of one program that differs from `default`. */
  readonly defaultOf?: Partial<Record<Command, Value>>;
  /** What happens when nothing is given, in words, where `default` cannot say it. */
  readonly otherwise?: string;
  /** The field that is given instead of this one: giving either puts the other out of force. */
  readonly insteadOf?: string;
  readonly required?: true;
  /** May be given several times; the values are collected. */
  readonly repeatable?: true;
  /** Says where or how to run, not what to compute: it is left out of spec.json. */
  readonly local?: true;
  /** May change when a run is resumed, although it is in spec.json; what is `local` always may. */
  readonly mayChange?: true;
}

export interface Field<Schema extends z.ZodType = z.ZodType> {
  /** Without the dashes: `micro-batch`. */
  readonly flag: string;
  readonly schema: Schema;
}

/**
 * @param flag - without the dashes; shorter than the field's name where people type it
 * @param schema - accepts a flag's text as well as YAML's values, see values.ts
 */
export function field<Schema extends z.ZodType, const Facts extends FieldFacts<z.output<Schema>>>(
  flag: string,
  schema: Schema,
  facts: Facts,
): Field<Schema> & Facts {
  return { flag, schema, ...facts };
}

/** `LOCKSTEP_MICRO_BATCH` */
export function variableOf(flag: string): string {
  return `LOCKSTEP_${flag.toUpperCase().replaceAll('-', '_')}`;
}
