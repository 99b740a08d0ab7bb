/**
 * `npm run conformance -- --engine cpu|wasm|webgpu|tensorflow [--json FILE]`: all specs of TensorFlow.js's own suite on the backend behind an
 * engine. Prints the specs that fail, counts, and which backend's kernels did the work; ends with 1 if any spec
 * fails that exceptions.ts does not list, or one of those passes.
 */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { prepareTensorflow } from '../../src/engine/libtensorflow/environment.js';
import { tensorflowStatus } from '../../src/engine/libtensorflow/status.js';
import { bundleSuite } from './bundle.js';
import type { conformingEngines as engines } from './engines.js';
import { exceptionsOf, type Exception } from './exceptions.js';
import type { runSuite as run, SuiteResult } from './suite.js';

/** Specs that exercise gradients, by what TensorFlow.js calls them. */
const gradientSpec = /gradient|grads?\b|derivative|backprop/i;

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { engine, json } = parseArgs({
    args: [...args],
    options: { engine: { type: 'string' }, json: { type: 'string' } },
  }).values;
  const { conformingEngines, runSuite } = (await import(pathToFileURL(await bundleSuite()).href)) as {
    conformingEngines: typeof engines;
    runSuite: typeof run;
  };
  const conforming = engine === undefined ? undefined : conformingEngines[engine];
  if (engine === undefined || conforming === undefined) {
    process.stderr.write(`error: --engine is one of ${Object.keys(conformingEngines).join(', ')}\n`);
    return 2;
  }
  if (engine === 'tensorflow') chooseTensorflow();
  const result = await runSuite(engine);
  const exceptions = exceptionsOf(engine);
  for (const { name, message } of result.failed) {
    const reason = exceptions.find(({ fits }) => fits(plainName(name)))?.reason;
    console.log(
      `${reason === undefined ? 'FAILED' : 'failed as expected'} ${name}\n  ${reason ?? message.split('\n', 1)[0]}`,
    );
  }
  const complaints = complaintsOf(result, conforming, exceptions);
  console.log(summary(engine, result));
  for (const complaint of complaints) console.log(`error: ${complaint}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ engine, ...result, complaints }, null, 2)}\n`);
  return complaints.length === 0 ? 0 : 1;
}

/** Here, since in the bundle there is no program that could try it first. @throws Error where there is none */
function chooseTensorflow(): void {
  const status = tensorflowStatus();
  if (!status.available) throw new Error(`engine tensorflow is not available: ${status.reason}`);
  process.env['LOCKSTEP_TENSORFLOW'] = status.installation.folder;
  prepareTensorflow(1);
}

function summary(engine: string, { passed, failed, skipped, kernelCalls, sources }: SuiteResult): string {
  const failedGradients = failed.filter(({ name }) => gradientSpec.test(name)).length;
  const inWords = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ');
  return (
    `${engine}: ${passed} passed, ${failed.length} failed (${failedGradients} of gradients), ${skipped.length} skipped\n` +
    `kernels called: ${inWords(kernelCalls)}${sources ? ` (${inWords(sources)})` : ''}`
  );
}

/** Without the environment that TensorFlow.js puts into every name: `sin webgpu {} propagates NaNs`. */
const plainName = (name: string): string => name.replace(/ \w+ \{[^}]*\}/, '');

/** What makes the run a failure; nothing is good. */
function complaintsOf(
  { passed, failed, skipped, kernelCalls }: SuiteResult,
  { backend, specsAtLeast }: (typeof engines)[string],
  exceptions: readonly Exception[],
): string[] {
  const complaints: string[] = [];
  const names = [...new Set(failed.map(({ name }) => plainName(name)))];
  const unexpected = names.filter((name) => !exceptions.some(({ fits }) => fits(name)));
  if (unexpected.length > 0) complaints.push(`${unexpected.length} specs fail`);
  for (const { listed, fits } of exceptions)
    if (!names.some(fits)) complaints.push(`${listed} does not fail, and is listed`);
  const count = passed + failed.length + skipped.length;
  if (count < specsAtLeast) complaints.push(`only ${count} of ${specsAtLeast} specs were found`);
  const [own, all] = [kernelCalls[backend] ?? 0, Object.values(kernelCalls).reduce((sum, calls) => sum + calls, 0)];
  if (own === 0 || own < all) complaints.push(`${all - own} of ${all} kernels were called on other backends`);
  return complaints;
}
