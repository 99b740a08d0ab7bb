/** The way back: from a configuration to the file or the flags that give it again. */

import { resolve } from 'node:path';
import type { Command } from './field.js';
import type { ConfigOf, FieldName } from './schema.js';
import { factsOf, fieldNames, hasField, inWords } from './sources.js';

/**
 * What spec.json says: everything that the result depends on, nothing about where and how it ran. It is itself a valid
 * `--config` file from any folder, as paths in it are absolute.
 *
 * @param changes - what was resolved after loading, such as the default micro-batch
 */
export function specOf(
  config: ConfigOf<'train'> | ConfigOf<'coordinator'>,
  changes: Partial<ConfigOf<'coordinator'>> = {},
): Readonly<Record<string, unknown>> {
  const all = { ...config, ...changes };
  const spec: Record<string, unknown> = { formatVersion: 1 };
  for (const name of fieldNames) {
    if (factsOf(name).local || !hasField('coordinator', name)) continue;
    const value = (all as Partial<Record<FieldName, unknown>>)[name];
    if (value !== undefined) spec[name] = fromAnywhere(name, value);
  }
  return spec;
}

/** A value that means the same in every working directory: paths become absolute. */
export function fromAnywhere(name: FieldName, value: unknown): unknown {
  const isPath =
    typeof value === 'string' &&
    (name === 'init' ||
      name === 'replay' ||
      name === 'module' ||
      (name === 'dataset' && value !== 'mnist') ||
      (name === 'model' && value.toLowerCase().endsWith('.json')));
  return isPath ? resolve(value) : value;
}

/**
 * The flags with which one program starts another with these values: `['--workers', '3', '--drop-last']`. Undefined
 * values and fields that the command does not have are left out.
 */
export function flagsFor(command: Command, values: Partial<Record<FieldName, unknown>>): string[] {
  return fieldNames.flatMap((name) => {
    const { flag, placeholder, repeatable } = factsOf(name);
    const value = values[name];
    if (value === undefined || !hasField(command, name)) return [];
    if (placeholder === undefined) return [value === true ? `--${flag}` : `--no-${flag}`];
    if (repeatable) return Object.entries(value as object).flatMap(([k, v]) => [`--${flag}`, `${k}=${String(v)}`]);
    return [`--${flag}`, inWords(value)];
  });
}
