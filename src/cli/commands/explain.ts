import { findings, whereTimeWent } from '../../live/explain.js';
import type { Picture } from '../../live/picture.js';
import type { CommandContext } from '../context.js';
import { readPicture } from '../run-source.js';
import { authorityIn, type TrustOptions } from '../trust.js';
import { duration, grouped, plural } from '../view/wording.js';

/** `lockstep explain`: where the time of a run went, and what to change. */
export async function run(
  where: string,
  { json, ...trust }: TrustOptions & { readonly json?: boolean },
  { stdout }: CommandContext,
): Promise<void> {
  const picture = await readPicture(where, authorityIn(trust));
  if (json) stdout.write(`${JSON.stringify({ run: picture.runId, findings: findings(picture) })}\n`);
  else stdout.write(explanation(picture).join('\n') + '\n');
}

export function explanation(picture: Picture): string[] {
  const found = findings(picture);
  return [
    headline(picture),
    whereTimeWent(picture.lanes),
    '',
    ...(found.length === 0
      ? ['Nothing stands out: the run is as it should be.']
      : found.flatMap(({ what, advice }) => [`- ${what}`, `  ${advice}`])),
  ];
}

function headline({ runId, facts, state, now, report }: Picture): string {
  if (!facts || !now) return `${runId}: ${state}, no step is finished.`;
  const speed = `${grouped(report?.imagesPerSecond ?? now.imagesPerSecond)} images/s`;
  const how = report
    ? `${plural(report.steps, 'step')} in ${duration(report.secondsTotal)}`
    : `step ${grouped(now.step)} of ${grouped(facts.stepsTotal)}`;
  return `${runId}: ${facts.model} on ${plural(now.worldSize, 'worker')}, ${state}, ${how}, ${speed}.`;
}
