/**
 * `npm test`: sets up, then runs the tests with Node's own runner, and ends with its summary.
 *
 *     npm test                                  everything
 *     npm test -- --suite unit                  one suite: tidy, unit, contract, sim or e2e; on request
 *                                               only: services, compilers, gpu, deploy, examples, package (several with commas)
 *     npm test -- config                        the files whose path contains the word (or one of several)
 *     npm test -- --test-name-pattern=rprop     flags go to the runner as they are
 */

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { readArguments, selectFiles, suites } from './select-tests.mjs';
import { filesUnder, root, setUp } from './setup.mjs';

/** A file with processes uses two thirds of a core: it waits for their starts, and for silences that are noticed. */
const spare = 1;

/** Nothing here takes a minute; a test that hangs must end some day, and be named. */
const timeoutMs = 300_000;

function runTests(argv) {
  const { chosen, words, flags } = readArguments(argv);
  const unknown = chosen.find((suite) => !suites.includes(suite));
  if (unknown !== undefined) {
    process.stderr.write(`error: unknown suite ${unknown}\nremedy: choose from ${suites.join(', ')}\n`);
    return 2;
  }
  setUp();
  const tests = join(root, 'dist', 'test');
  const compiled = filesUnder(tests).filter((file) => file.endsWith('.test.js'));
  const all = compiled.map((file) => relative(tests, file).split(sep).join('/')).sort();
  const files = selectFiles(all, chosen, words);
  if (files.length === 0) {
    process.stderr.write(
      `error: no test file fits ${argv.join(' ')}\nremedy: \`npm test\` without arguments runs all\n`,
    );
    return 2;
  }
  const options = [
    '--test',
    `--test-concurrency=${Math.min(4, availableParallelism() + spare)}`,
    `--test-timeout=${timeoutMs}`,
  ];
  if (!flags.some((flag) => flag.startsWith('--test-reporter'))) options.push('--test-reporter=spec');
  const paths = files.map((file) => join('dist', 'test', ...file.split('/')));
  const { status } = spawnSync(process.execPath, [...options, ...flags, ...paths], { cwd: root, stdio: 'inherit' });
  return status ?? 1;
}

process.exitCode = runTests(process.argv.slice(2));
