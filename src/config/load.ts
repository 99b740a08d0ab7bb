/**
 * From what was given to the frozen configuration of one program: defaults < Slurm's job < YAML file < environment <
 * flags. When a run is resumed or replayed its spec.json comes before all of these.
 */

import { nearest } from '../core/nearest.js';
import { fault } from './faults.js';
import { expectationOf } from './values.js';
import type { Command } from './field.js';
import { checkRelations } from './relations.js';
import { checkUnchanged, replayedLayer, resumedLayer } from './resume.js';
import type { ConfigOf, FieldName } from './schema.js';
import { slurmLayer } from './slurm.js';
import {
  configVariable,
  environmentLayer,
  factsOf,
  fieldNames,
  fileLayer,
  flagLayer,
  hasField,
  inWords,
  layerOf,
  type FlagValues,
  type Given,
  type Layer,
} from './sources.js';

/** A configuration, and how its values came about. */
export interface LoadedConfig<Config> {
  /** Frozen. Every field of the command is a key; what was not given and has no default is undefined. */
  readonly config: Config;
  /** What somebody gave: fields with their defaults are not in it. */
  readonly given: ReadonlyMap<FieldName, Given>;
  /** A value as an error message names it: `--micro-batch 33`, or `--global-batch 256 (the default)`. */
  readonly quote: (name: FieldName) => string;
}

export interface Sources {
  /** What the command line parser found. */
  readonly flags: FlagValues;
  /** `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The file of `--config`; without it that of LOCKSTEP_CONFIG, if any. */
  readonly file?: string | undefined;
  /** What a program hands in, by the names of fields. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/**
 * @throws LockstepError with a code of `configFaults`, exit code 2, for the first thing that is wrong
 */
export function loadConfig<C extends Command>(command: C, sources: Sources): LoadedConfig<ConfigOf<C>> {
  const file = sources.file ?? (sources.environment[configVariable] || undefined);
  const layers = [
    file === undefined ? (new Map() as Layer) : fileLayer(file),
    environmentLayer(sources.environment),
    flagLayer(sources.flags),
    layerOf(sources.values ?? {}, 'the options'),
  ];
  const resumed = hasField(command, 'resume') ? resumedLayer(layers) : undefined;
  const earlier = resumed ?? (hasField(command, 'replay') ? replayedLayer(layers) : undefined);
  const given = new Map<FieldName, Given>();
  const listen = layers.flatMap((layer) => layer.get('listen')?.value ?? []).at(-1);
  const slurm = slurmLayer(command, sources.environment, typeof listen === 'string' ? listen : undefined);
  for (const layer of [earlier ?? (new Map() as Layer), slurm, ...layers]) overlay(given, layer, command);

  const values: Partial<Record<FieldName, unknown>> = {};
  for (const name of fieldNames) if (hasField(command, name)) values[name] = valueOf(name, command, given);

  const quote = (name: FieldName) =>
    given.get(name)?.quoted ?? `--${factsOf(name).flag} ${inWords(values[name])} (the default)`;
  if (resumed) checkUnchanged(resumed, given, values);
  checkRelations(command, values as Parameters<typeof checkRelations>[1], quote);
  return { config: deepFreeze(values) as ConfigOf<C>, given, quote };
}

/**
 * Lays a stronger layer over what is there. Of two options that exclude each other the stronger layer's wins, so that
 * `--config runs/old/spec.json --steps 40` works although the file says `epochs`; in one layer they are an error.
 */
function overlay(given: Map<FieldName, Given>, layer: Layer, command: Command): void {
  for (const [name, value] of layer) {
    if (!hasField(command, name)) continue;
    const rival = factsOf(name).insteadOf as FieldName | undefined;
    const rivalGiven = rival === undefined ? undefined : layer.get(rival);
    if (rivalGiven !== undefined) throw fault('EXCLUSIVE_OPTIONS', { first: value.quoted, second: rivalGiven.quoted });
    if (rival !== undefined) given.delete(rival);
    for (const other of fieldNames) if (factsOf(other).insteadOf === name) given.delete(other);
    given.set(name, factsOf(name).repeatable ? merged(given.get(name), value) : value);
  }
}

/** Options of the update rule are laid over each other one by one. */
function merged(weaker: Given | undefined, stronger: Given): Given {
  if (weaker === undefined) return stronger;
  const pairs = ({ value }: Given): unknown[] => {
    if (typeof value === 'string') return value.split(',');
    if (Array.isArray(value)) return value;
    return typeof value === 'object' && value !== null
      ? Object.entries(value).map(([k, v]) => `${k}=${String(v)}`)
      : [value];
  };
  return { ...stronger, value: [...pairs(weaker), ...pairs(stronger)], quoted: `${weaker.quoted}, ${stronger.quoted}` };
}

function valueOf(name: FieldName, command: Command, given: ReadonlyMap<FieldName, Given>): unknown {
  const facts = factsOf(name);
  const mine = given.get(name);
  if (mine !== undefined) {
    const result = facts.schema.safeParse(mine.value);
    if (result.success) return result.data;
    const expects = expectationOf(facts.schema);
    throw fault('BAD_VALUE', { given: mine.quoted, expects, hint: choiceHint(mine.value, expects) });
  }
  if (facts.insteadOf !== undefined && given.has(facts.insteadOf as FieldName)) return undefined;
  if (facts.required) throw fault('MISSING_VALUE', { flag: `--${facts.flag}`, placeholder: facts.placeholder ?? '' });
  return facts.defaultOf?.[command] ?? facts.default;
}

function choiceHint(value: unknown, expects: string): string {
  const choices = /^one of (.*)$/.exec(expects)?.[1]?.split(', ');
  const near = choices && typeof value === 'string' ? nearest(value, choices) : undefined;
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
