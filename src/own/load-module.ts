import { execFile } from 'node:child_process';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LockstepError } from '../core/errors.js';
import { demandDataset, type NamedDataset } from '../data/checked-read.js';
import type { RunData, RunDefinition, SetName } from './definition.js';
import { fault } from './faults.js';
import { wrongMetrics } from './metrics.js';

/** @throws LockstepError `RUN_MODULE_BROKEN`, `RUN_MODULE_MALFORMED` */
export async function loadRunModule(path: string): Promise<RunDefinition> {
  const { default: run } = await importModule(resolve(path));
  const no = (reason: string): Error => fault('RUN_MODULE_MALFORMED', { path, reason });
  if (typeof run !== 'object' || run === null)
    throw no(`its default export is ${run === undefined ? 'missing' : typeof run}`);
  const { model, data, loss, metrics, readTimeoutSeconds: seconds } = run as Partial<RunDefinition>;
  if (typeof model !== 'string' && typeof model !== 'function') throw no('model is neither a function nor a text');
  if (!['string', 'object', 'function'].includes(typeof data) || data === null) throw no('it has no data');
  if (loss !== undefined && typeof loss !== 'function' && !lossNames.includes(loss))
    throw no(`loss is ${String(loss)}, not a function or one of ${lossNames.join(', ')}`);
  const wrong = wrongMetrics(metrics);
  if (wrong !== undefined) throw no(wrong);
  if (seconds !== undefined && !(seconds > 0)) throw no(`readTimeoutSeconds is ${String(seconds)}`);
  return run as RunDefinition;
}

const lossNames: readonly string[] = ['softmaxCrossEntropy', 'sigmoidCrossEntropy', 'meanSquaredError'];

/** Whether this is the path of a run's module, by its ending. */
export function isRunModule(path: string): boolean {
  return /\.[cm]?[jt]s$/i.test(path);
}

/** What runs call the model: the file's name, or that of its folder where the file is called run. */
export function nameOfModule(path: string): string {
  const name = basename(path).replace(/\.[cm]?[jt]s$/i, '');
  const telling = name === 'run' ? basename(dirname(resolve(path))) || name : name;
  return telling.replaceAll(/[^\w-]+/g, '-').slice(0, 40);
}

/** The sets that a run takes its steps and its evaluations from. */
export interface OpenedData {
  readonly train: NamedDataset;
  readonly test: NamedDataset;
}

/**
 * @param evaluated - what evaluations take, where it is not the set that a run would evaluate
 * @throws LockstepError `DATASET_MALFORMED`, `RUN_MODULE_BROKEN`, and what the user's own readers throw
 */
export async function openData(path: string, { data }: RunDefinition, evaluated?: SetName): Promise<OpenedData> {
  const opened = typeof data === 'function' ? await callData(path, data) : (data as RunData);
  const named = (set: SetName): NamedDataset => {
    const found: unknown = opened?.[set];
    demandDataset(path, set, found);
    return { path, set, data: found };
  };
  const usual = opened.validation ? 'validation' : opened.test ? 'test' : 'train';
  return { train: named('train'), test: named(evaluated ?? usual) };
}

async function callData(path: string, data: () => RunData | Promise<RunData>): Promise<RunData> {
  try {
    return await data();
  } catch (error) {
    throw error instanceof LockstepError ? error : broken(path, error, 'data() failed: ');
  }
}

async function importModule(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (error) {
    if (error instanceof LockstepError) throw error; //               a reader of ours, at the module's top level
    const place = error instanceof SyntaxError ? await placeOfSyntaxError(path) : '';
    throw broken(path, error, '', place);
  }
}

function broken(path: string, error: unknown, where = '', place = ''): Error {
  const { code, message = String(error), stack = '' } = error as NodeJS.ErrnoException;
  const isTypeScript = code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(path);
  const reason = isTypeScript
    ? `this Node.js, ${process.version}, takes no TypeScript; Node.js 22.18 and later do`
    : `${where}${error instanceof Error ? error.name : 'error'}: ${message.split('\n', 1)[0]}${place || placeIn(stack, path)}`;
  return fault('RUN_MODULE_BROKEN', { path, reason }, error);
}

/** Node.js knows it, but does not tell programs. */
function placeOfSyntaxError(path: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', path], (_error, _stdout, stderr) => {
      const [, line] = /^(?:file:)?.*?:(\d+)\r?\n/.exec(stderr) ?? [];
      resolve(line === undefined ? '' : ` (line ${line})`);
    });
  });
}

/** ` (line 3)`: the first line of the module that a stack names. */
function placeIn(stack: string, path: string): string {
  const name = pathToFileURL(path).href;
  const at = stack.indexOf(`${name}:`);
  const [, line] = at < 0 ? [] : (/^:(\d+)/.exec(stack.slice(at + name.length)) ?? []);
  return line === undefined ? '' : ` (line ${line})`;
}
