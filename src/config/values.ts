/**
 * Types of values. Each reads the text of a flag or a variable as well as the value that YAML gives, and says in words
 * what it expects: `expects` is what an error message shows.
 */

import { z } from 'zod';
import { parseHostPort, type HostPort } from '../core/address.js';
import type { Interval } from '../core/run-spec.js';

function expecting<Schema extends z.ZodType>(expects: string, schema: Schema): Schema {
  return schema.meta({ expects });
}

/** What a value of this type has to be, in words. */
export function expectationOf(schema: z.ZodType): string {
  const expects = schema.meta()?.['expects'];
  return typeof expects === 'string' ? expects : 'another value';
}

// Number('') is 0 and Number('0x10') is 16: only what looks like a decimal number is taken for one.
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const numberFromText = (given: unknown) => (typeof given === 'string' && decimal.test(given) ? Number(given) : given);

export function wholeNumber(least: number, most?: number) {
  const expects =
    most === undefined ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  return expecting(
    expects,
    z.preprocess(
      numberFromText,
      z
        .int()
        .min(least)
        .max(most ?? Number.MAX_SAFE_INTEGER),
    ),
  );
}

/** At least 1. */
export const count = wholeNumber(1);

/** At least 1, at most 2 to the power of `most`. */
export function powerOfTwo(most: number) {
  const powers = new Set(Array.from({ length: most + 1 }, (_, i) => Number(1n << BigInt(i))));
  const isPower = (given: number): boolean => powers.has(given);
  return expecting(`a power of two from 1 to 2^${most}`, z.preprocess(numberFromText, z.number().refine(isPower)));
}

/** 0 means any free port. */
export const portNumber = wholeNumber(0, 65_535);

export const positive = expecting('a number above 0', z.preprocess(numberFromText, z.number().positive()));

/** Above 0 and at most 1. */
export const share = expecting('a number above 0, at most 1', z.preprocess(numberFromText, z.number().gt(0).lte(1)));

/** At least 0 and below 1. */
export const shareBelowOne = expecting(
  'a number of at least 0 and below 1',
  z.preprocess(numberFromText, z.number().gte(0).lt(1)),
);

export const text = expecting('a text', z.string().min(1));

/** It becomes part of a subject of NATS. */
export const runName = expecting('letters, digits, - and _', z.string().regex(/^[A-Za-z0-9_-]{1,64}$/));

export const toggle = expecting(
  'true or false',
  z.union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform((given) => given === 'true' || given === '1')]),
);

export function oneOf<const Choices extends readonly [string, ...string[]]>(choices: Choices) {
  return expecting(`one of ${choices.join(', ')}`, z.enum(choices));
}

/** One of a few names, or the path of a file, which is told by its ending. */
export function nameOrFile<const Names extends readonly [string, ...string[]]>(names: Names, ending: string) {
  return expecting(
    `one of ${names.join(', ')}, or a ${ending} file`,
    z.union([z.enum(names), z.string().refine((given) => given.toLowerCase().endsWith(ending))]),
  );
}

/** JavaScript, or TypeScript where Node.js takes it. */
export const moduleFile = expecting(
  'a .mjs, .js, .mts or .ts file',
  z.string().refine((given) => /\.m?[jt]s$/i.test(given)),
);

export const batchSize = expecting(
  'a whole number of at least 1, auto or full',
  z.union([z.enum(['full', 'auto']), z.preprocess(numberFromText, z.int().min(1))]),
);

export const countOrAuto = expecting(
  'a whole number of at least 1, or auto',
  z.union([z.literal('auto'), z.preprocess(numberFromText, z.int().min(1))]),
);

const intervalText = /^([1-9]\d{0,14})\s*(step|epoch)s?$/;

export const interval = expecting(
  'a number of steps or epochs, such as 100steps or 1epoch',
  z.union([
    z
      .string()
      .regex(intervalText)
      .transform((given): Interval => {
        const [, every, unit] = intervalText.exec(given) ?? [];
        return { every: Number(every), unit: unit === 'step' ? 'step' : 'epoch' };
      }),
    z.strictObject({ every: z.int().min(1), unit: z.enum(['step', 'epoch']) }), // as spec.json has it
  ]),
);

export const intervalOrOff = expecting(
  'a number of steps or epochs, such as 100steps or 1epoch, or off',
  z.union([z.literal('off'), interval]),
);

export type OptionValue = number | boolean;

function optionValue(given: string): unknown {
  if (given === 'true' || given === 'false') return given === 'true';
  return numberFromText(given);
}

/** From `['beta1=0.8', 'amsgrad=true']` (flags), `beta1=0.8,amsgrad=true` (a variable) or a map (YAML). */
export const optionMap = expecting(
  'key=value with a number, true or false as the value',
  z.preprocess(
    (given) => {
      const pairs = typeof given === 'string' ? given.split(',') : given;
      if (!Array.isArray(pairs)) return given;
      const entries = pairs.map((pair): [string, unknown] => {
        const [key = '', ...rest] = String(pair).split('=');
        return [key.trim(), optionValue(rest.join('=').trim())];
      });
      return Object.fromEntries(entries);
    },
    z.record(z.string().min(1), z.union([z.number(), z.boolean()])),
  ),
);

/** A name or an address to listen on, IPv6 with or without brackets. */
export const host = expecting(
  'a host name or an address, without a port',
  z
    .string()
    .regex(/^(\[[0-9a-fA-F:.%\w]+\]|[^\s[\]/]+)$/)
    .transform((given) => given.replace(/^\[|\]$/g, '')),
);

/** From `a:1,b:2` (a flag or a variable) or a list (YAML): where the same program may be, in the order to try. */
export const hostPorts = expecting(
  'HOST:PORT, such as 127.0.0.1:7070 or [::1]:7070, or several with commas between',
  z.preprocess(
    (given) => (typeof given === 'string' ? given.split(',') : given),
    z
      .array(
        z
          .string()
          .transform((given) => parseHostPort(given))
          .refine((address): address is HostPort => address !== undefined && address.port > 0),
      )
      .min(1),
  ),
);
