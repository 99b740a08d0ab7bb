import { hostname } from 'node:os';
import { loadConfig } from '../../config/index.js';
import { fieldNames, factsOf, type FlagValues } from '../../config/sources.js';
import type { FieldName } from '../../config/schema.js';
import { systemClock } from '../../core/clock.js';
import type { ExitCode } from '../../core/errors.js';
import { defaultCacheFolder } from '../../data/cache.js';
import type { CommandContext } from '../context.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/finding.js';
import { systemNetwork } from '../first-reachable.js';
import { readVersion } from '../version.js';
import { secureWorker } from '../worker-security.js';

export type DoctorOptions = Readonly<Record<string, string | boolean | undefined>> & { readonly json?: boolean };

/**
 * `lockstep doctor`: what a worker would meet that is started here with the same options.
 *
 * @returns 0 if it could work, else 1
 */
export async function run(
  { json = false, ...options }: DoctorOptions,
  { stdout, environment }: CommandContext,
): Promise<ExitCode> {
  const { config } = loadConfig('worker', { flags: flagsOf(options), file: undefined, environment });
  const wallTimeMs = () => Date.now();
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  let hasFailed = false;
  for await (const finding of examine(config, {
    clock: systemClock,
    wallTimeMs,
    network: systemNetwork(systemClock),
    packageVersion: readVersion(),
    // As the worker does, under its name: what the token is exchanged for here is the worker's own certificate.
    secure: async (address) =>
      (
        await secureWorker(config, {
          clock: systemClock,
          wallTimeMs,
          log: silent,
          name: config.name ?? hostname(),
          cacheFolder: config.cacheDir ?? defaultCacheFolder(environment),
          findCoordinator: () => Promise.resolve(address),
        })
      )?.identity,
  })) {
    hasFailed ||= finding.outcome === 'bad';
    stdout.write(json ? `${JSON.stringify(finding)}\n` : inWords(finding));
  }
  return hasFailed ? 1 : 0;
}

const marks = { good: 'ok  ', note: 'note', bad: 'FAIL' } as const;

/** One line a check; a remedy goes on the same line, so that `grep FAIL` shows what to do. */
function inWords({ check, outcome, says, remedy }: Finding): string {
  return `${marks[outcome]} ${check.padEnd(15)} ${says}${remedy === undefined ? '' : ` -> ${remedy}`}\n`;
}

function flagsOf(options: Readonly<Record<string, string | boolean | undefined>>): FlagValues {
  const flags = new Map<FieldName, string | boolean>();
  for (const name of fieldNames) {
    const attribute = factsOf(name).flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const value = options[attribute];
    if (value !== undefined) flags.set(name, value);
  }
  return flags;
}
