/**
 * The three places where a person gives options: a YAML file, the environment, flags. Each becomes a layer of raw values;
 * load.ts lays them over each other.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { formatHostPort } from '../core/address.js';
import { didYouMean } from '../core/nearest.js';
import { fault } from './faults.js';
import { variableOf, type Command, type Field, type FieldFacts } from './field.js';
import { fields, type FieldName } from './schema.js';

/** A value as somebody gave it, and how to quote it back. */
export interface Given {
  readonly source: 'file' | 'environment' | 'flag';
  readonly value: unknown;
  /** `--micro-batch 33`, `LOCKSTEP_MICRO_BATCH=33` or `microBatchSize: 33 in run.yaml`. */
  readonly quoted: string;
}

export type Layer = ReadonlyMap<FieldName, Given>;

export const fieldNames = Object.keys(fields) as FieldName[];

/** A field with its facts, without the types of its value: for code that treats all fields alike. */
export function factsOf(name: FieldName): Field & FieldFacts<unknown> {
  return fields[name];
}

export function hasField(command: Command, name: FieldName): boolean {
  return factsOf(name).commands.includes(command);
}

export function fieldOfFlag(flag: string): FieldName | undefined {
  return fieldNames.find((name) => fields[name].flag === flag);
}

/** The spec.json of a run says in which format it was written; a file by hand need not. */
const formatVersionKey = 'formatVersion';

/**
 * Reads a `--config` file: keys are field names (`microBatchSize`) or flags (`micro-batch`). Options of other commands
 * are allowed and left alone, so that one file can serve a whole cluster.
 *
 * @param parse - of a file that a program wrote, and that is no YAML
 */
export function fileLayer(file: string, parse: (text: string) => unknown = parseYaml): Layer {
  return layerOf(readMap(file, parse), file);
}

/** Values by the names of their fields, or flags. @param file - where they are given, for faults */
export function layerOf(values: Readonly<Record<string, unknown>>, file: string): Layer {
  const layer = new Map<FieldName, Given>();
  const spelling = new Map<FieldName, string>();
  for (const [key, value] of Object.entries(values)) {
    if (key === formatVersionKey) {
      if (value !== 1) throw fault('CONFIG_FORMAT', { file, version: String(value) });
      continue;
    }
    const name = fieldNames.find((n) => n === key) ?? fieldOfFlag(key);
    if (name === undefined) {
      const hint = didYouMean(key, key.includes('-') ? fieldNames.map((n) => fields[n].flag) : fieldNames);
      throw fault('UNKNOWN_KEY', {
        key,
        file,
        hint:
          hint ||
          didYouMean(
            key,
            fieldNames.map((n) => fields[n].flag),
          ),
      });
    }
    const first = spelling.get(name);
    if (first !== undefined) throw fault('GIVEN_TWICE', { file, first, second: key });
    spelling.set(name, key);
    if (value !== null && value !== undefined)
      layer.set(name, { source: 'file', value, quoted: `${key}: ${inWords(value)} in ${file}` });
  }
  return layer;
}

/** Loads the parser only where there is a file: it is a quarter of what a command would load before it does anything. */
function parseYaml(text: string): unknown {
  const { parse } = createRequire(import.meta.url)('yaml') as typeof Yaml;
  return parse(text);
}

function readMap(file: string, parse: (text: string) => unknown): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw fault('CONFIG_UNREADABLE', { file, reason: reasonOf(error) }, error);
  }
  if (content === null) return {}; // an empty file, or one with comments only
  if (typeof content !== 'object' || Array.isArray(content))
    throw fault('CONFIG_UNREADABLE', { file, reason: 'it must be a map of keys to values' });
  return content as Record<string, unknown>;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'YAMLParseError')
    return error.message.split('\n', 1)[0] ?? 'not valid YAML';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission';
  if (code === 'EISDIR') return 'it is a folder';
  return error instanceof Error ? error.message : String(error);
}

/** Reads the LOCKSTEP_* variables. An empty one counts as not given, as compose files and unit files leave them. */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const nameOf = new Map(fieldNames.map((name) => [variableOf(fields[name].flag), name]));
  const layer = new Map<FieldName, Given>();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('LOCKSTEP_') || notOptions.has(variable) || value === undefined || value === '') continue;
    const name = nameOf.get(variable);
    if (name === undefined)
      throw fault('UNKNOWN_VARIABLE', { name: variable, hint: didYouMean(variable, [...nameOf.keys()]) });
    layer.set(name, { source: 'environment', value, quoted: `${variable}=${value}` });
  }
  return layer;
}

/** The variable that names the `--config` file. */
export const configVariable = 'LOCKSTEP_CONFIG';

/** Variables that are no options: the file, and the switch of the native kernels (src/engine/native-kernels.ts). */
const notOptions: ReadonlySet<string> = new Set([configVariable, 'LOCKSTEP_NATIVE', 'LOCKSTEP_TENSORFLOW']);

/** What the command line parser found: text, true or false for a switch, a list for a repeatable flag. */
export type FlagValues = ReadonlyMap<FieldName, string | boolean | readonly string[]>;

/** The words of a command line that say the same. */
export function flagWords(values: FlagValues): readonly string[] {
  return [...values].flatMap(([name, value]) => {
    const flag = `--${factsOf(name).flag}`;
    if (typeof value === 'boolean') return value ? [flag] : [];
    return [value].flat().flatMap((each) => [flag, each]);
  });
}

export function flagLayer(values: FlagValues): Layer {
  return new Map(
    [...values].map(([name, value]): [FieldName, Given] => [
      name,
      { source: 'flag', value, quoted: quoteFlag(name, value) },
    ]),
  );
}

function quoteFlag(name: FieldName, value: string | boolean | readonly string[]): string {
  const { flag } = fields[name];
  if (typeof value === 'boolean') return value ? `--${flag}` : `--no-${flag}`;
  return (typeof value === 'string' ? [value] : value)
    .map((text) => `--${flag} ${text === '' ? "''" : text}`)
    .join(' ');
}

/** A value as a person writes it: `33`, `100steps`, `[::1]:7070`, `{"beta1":0.9}`. */
export function inWords(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each === 'object')) return value.map(inWords).join(',');
  if (typeof value === 'object' && value !== null && 'host' in value && 'port' in value) {
    return formatHostPort({ host: String(value.host), port: Number(value.port) });
  }
  if (typeof value === 'object' && value !== null && 'every' in value && 'unit' in value) {
    return `${String(value.every)}${String(value.unit)}${value.every === 1 ? '' : 's'}`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
