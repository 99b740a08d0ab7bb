/** Whole runs, and what of their results must not depend on who computed them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

import { jsonLines, lastLine, processesWith, start, type Ended, type JsonLine, type workshop } from './lockstep.js';

/** Of a run with --json that came to its end without a word on stderr. */
export function reportOf({ code, stdout, stderr }: Ended): JsonLine {
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return lastLine(stdout);
}

export const resultOf = ({
  weightsDigest,
  finalLoss,
  testLoss,
  bestTestLoss,
  testAccuracy,
  testMetrics,
  steps,
}: JsonLine): unknown => ({
  ...{ weightsDigest, finalLoss, testLoss, bestTestLoss, testAccuracy, testMetrics, steps },
});

/** A run of three workers, the first of which is killed after `step`. */
export async function trainLosingOne(
  place: ReturnType<typeof workshop>,
  args: readonly string[],
  out: string,
  step: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<JsonLine> {
  const cache = place.path(`cache-${out}`);
  const flags = ['--workers', '3', '--cache-dir', cache, '--out', place.path(out)];
  const run = start([...args, ...flags], place.folder, environment);
  await run.seen(new RegExp(`"type":"step","step":${step},`));
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isFirst = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-0');
  process.kill(Number(processesWith(cache, all).filter(isFirst)[0]), 'SIGKILL');
  const done = await run.ended;
  const changes = jsonLines(done.stdout).filter(({ type }) => type === 'membership');
  assert.equal(changes[0]?.['worldSize'], 2, 'a member was lost on the way'); // on a busy machine another may be, for a while
  return reportOf(done);
}
