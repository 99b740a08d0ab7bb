/** The live page as text: pure, the same picture and width give the same lines. */

import { findings, phaseShares, whereTimeWent } from '../../live/explain.js';
import type { Lane, Picture } from '../../live/picture.js';
import { duration, grouped } from './wording.js';

const blocks = ' ▁▂▃▄▅▆▇█';
const phaseMarks = { compute: '█', wait: '·', exchange: '▒', update: '▚' } as const;
const shownEvents = 6;
const nameWidth = 14;

export function topLines(picture: Picture, width: number): string[] {
  const { facts, now, state, reason, runId, report, evaluations, curves } = picture;
  const words = reason === '' ? state : `${state}: ${reason}`;
  const lines = [`${facts?.model ?? 'lockstep'}  ${runId}  ${words}`];
  if (facts && now) {
    const share = Math.min(1, now.step / facts.stepsTotal);
    const left = ((facts.stepsTotal - now.step) * now.globalBatchSize) / now.imagesPerSecond;
    const time = report
      ? `took ${duration(report.secondsTotal)}`
      : Number.isFinite(left)
        ? `${duration(left)} left`
        : '';
    const progress = `step ${grouped(now.step)}/${grouped(facts.stepsTotal)}  epoch ${now.epoch + 1}/${facts.epochsTotal}  ${time}`;
    lines.push(`${bar(share, Math.max(10, width - progress.length - 2))}  ${progress}`, '');
    const test = evaluations.at(-1);
    lines.push(
      [
        `${grouped(report?.imagesPerSecond ?? now.imagesPerSecond)} images/s`,
        `loss ${short(now.loss)}`,
        facts.hasAccuracy
          ? `test accuracy ${test?.testAccuracy?.toFixed(4) ?? '-'}`
          : `test loss ${short(test?.testLoss ?? null)}`,
        `lr ${short(now.learningRate)}`,
        `batch ${grouped(now.globalBatchSize)}`,
        `gradient ${short(now.gradientNorm)}`,
        `skipped ${picture.skippedSteps}`,
      ].join('  '),
      `loss   ${sparkline(curves.loss, width - 7)}`,
      `speed  ${sparkline(curves.imagesPerSecond, width - 7)}`,
      '',
    );
  }
  lines.push(whereTimeWent(picture.lanes), ...byPlace(picture.lanes).map((lane) => laneLine(lane, width)));
  lines.push(...findings(picture).map(({ what }) => `! ${what}`));
  lines.push(
    '',
    ...picture.log
      .slice(-shownEvents)
      .map(({ time, type, ...event }) => `${time.slice(11, 19)}  ${type}  ${detailsOf(event)}`),
  );
  return lines.map((line) => line.slice(0, width));
}

function laneLine({ worker, rank, seconds, waitsFor }: Lane, width: number): string {
  const name = worker.slice(0, nameWidth).padEnd(nameWidth);
  if (rank === null) return `${name}  gone`;
  const shares = phaseShares(seconds);
  const words = `computes ${percent(shares.compute)}, waits ${percent(shares.wait)}${waitsFor === null ? '' : ` for ${waitsFor}`}, exchanges ${percent(shares.exchange)}`;
  const room = Math.max(10, Math.min(40, width - nameWidth - words.length - 4));
  const phases = ['compute', 'wait', 'exchange', 'update'] as const;
  const marks = phases.map((phase) => phaseMarks[phase].repeat(Math.round(shares[phase] * room))).join('');
  return `${name}  ${marks.slice(0, room).padEnd(room)}  ${words}`;
}

function byPlace(lanes: readonly Lane[]): readonly Lane[] {
  return [...lanes].sort((a, b) => (a.rank ?? 1e9) - (b.rank ?? 1e9) || a.worker.localeCompare(b.worker));
}

function bar(share: number, width: number): string {
  const full = Math.round(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** The newest values, as many as there is room for, each a mean over neighbours. */
function sparkline(values: readonly (number | null)[], width: number): string {
  const finite = values.filter((value) => value !== null);
  const perMark = Math.max(1, Math.ceil(finite.length / width));
  const means: number[] = [];
  for (let i = 0; i < finite.length; i += perMark) {
    const part = finite.slice(i, i + perMark);
    means.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  const [least, most] = [Math.min(...means), Math.max(...means)];
  return means.map((mean) => blocks[most > least ? 1 + Math.round(((mean - least) / (most - least)) * 7) : 4]).join('');
}

/** What an event says, without what every event has. */
function detailsOf(event: object): string {
  return Object.entries(event)
    .filter(([name]) => !['schema', 'sequence', 'run'].includes(name))
    .map(
      ([name, value]) =>
        `${name} ${typeof value === 'number' ? short(value) : Array.isArray(value) ? value.join(', ') : String(value)}`,
    )
    .join('  ');
}

function short(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(4)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
