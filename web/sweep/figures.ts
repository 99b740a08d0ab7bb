import * as Plot from '@observablehq/plot';
import type { Cell, Series } from '../../src/lab/summary.js';
import { seriesOf, wordsFor } from '../../src/lab/summary.js';
import { stepsOf } from '../../src/lab/fit.js';
import type { SweepReport } from '../../src/lab/report-form.js';

export interface Figure {
  readonly id: string;
  readonly title: string;
  /** What the picture says, for those who cannot see it too. */
  readonly about: string;
  readonly drawing: Element;
}

const size = { width: 560, height: 340, marginLeft: 64, marginBottom: 42, style: { fontSize: '12px' } };
const batchAxis = { type: 'log', label: 'batch size', grid: true, tickFormat: '~s' } as const;

/** A point of a curve over batch sizes. */
interface Point {
  readonly batch: number;
  readonly value: number;
  readonly series: string;
}

export function figuresOf(report: SweepReport): readonly Figure[] {
  const series = seriesOf(report.cells);
  const hasBatches = new Set(report.cells.map(({ batch }) => batch)).size > 1;
  return [
    ...(hasBatches ? [stepsFigure(report, series), timeFigure(report, series)] : []),
    ...(hasBatches ? [speedFigure(series), accuracyFigure(series)] : []),
    learningFigure(report),
  ].filter((figure) => figure !== undefined);
}

function nameOf({ axes }: Series): string {
  return wordsFor(axes) || 'measured';
}

function pointsOf(series: readonly Series[], valueOf: (cell: Cell, at: number) => number | undefined): Point[] {
  return series.flatMap((each, at) =>
    each.cells.flatMap((cell) => {
      const value = valueOf(cell, at);
      return value === undefined ? [] : [{ batch: cell.batch, value, series: nameOf(each) }];
    }),
  );
}

function curve(points: readonly Point[]) {
  return [
    Plot.line(points, { x: 'batch', y: 'value', stroke: 'series', sort: 'batch' }),
    Plot.dot(points, { x: 'batch', y: 'value', fill: 'series', r: 3.5, tip: true }),
  ];
}

function targetFigureOf(report: SweepReport, at: number, cell: Cell) {
  const target = report.findings[at]?.target;
  return cell.targets.find((each) => each.target === target);
}

function stepsFigure(report: SweepReport, series: readonly Series[]): Figure | undefined {
  const points = pointsOf(series, (cell, at) => targetFigureOf(report, at, cell)?.steps?.mean);
  if (points.length === 0) return undefined;
  const fits = series.flatMap((each, at) => {
    const fit = report.findings[at]?.fit;
    const batches = points.filter(({ series: name }) => name === nameOf(each)).map(({ batch }) => batch);
    if (!fit || stepsOf(fit, 1) === undefined) return [];
    const [least, most] = [Math.min(...batches), Math.max(...batches)];
    return Array.from({ length: 60 }, (_, i) => {
      const batch = least * (most / least) ** (i / 59);
      return { batch, value: stepsOf(fit, batch) as number, series: nameOf(each) };
    });
  });
  return {
    id: 'steps',
    title: 'Steps to the target',
    about: `Steps until ${targetsText(report)} against the batch; dashed: the fitted S_min (1 + B_crit / B).`,
    drawing: Plot.plot({
      ...size,
      x: batchAxis,
      y: { type: 'log', label: 'steps', grid: true, tickFormat: '~s' },
      color: colours(series),
      marks: [
        ...curve(points),
        Plot.line(fits, { x: 'batch', y: 'value', z: 'series', stroke: 'currentColor', strokeDasharray: '4 4' }),
      ],
    }),
  };
}

function timeFigure(report: SweepReport, series: readonly Series[]): Figure | undefined {
  const points = pointsOf(series, (cell, at) => targetFigureOf(report, at, cell)?.seconds?.mean);
  if (points.length === 0) return undefined;
  return {
    id: 'time',
    title: 'Time to the target',
    about: `Seconds of training until ${targetsText(report)} against the batch, on the machine that ran the sweep.`,
    drawing: Plot.plot({
      ...size,
      x: batchAxis,
      y: { type: 'log', label: 'seconds', grid: true, tickFormat: '~s' },
      color: colours(series),
      marks: curve(points),
    }),
  };
}

function speedFigure(series: readonly Series[]): Figure {
  return {
    id: 'speed',
    title: 'Throughput',
    about: 'Images per second against the batch: small batches pay for an update after every few images.',
    drawing: Plot.plot({
      ...size,
      x: batchAxis,
      y: { label: 'images per second', grid: true, zero: true },
      color: colours(series),
      marks: curve(pointsOf(series, (cell) => cell.imagesPerSecond.mean)),
    }),
  };
}

function accuracyFigure(series: readonly Series[]): Figure {
  const points = pointsOf(series, (cell) => 1 - (cell.bestTestAccuracy?.mean ?? NaN)).map((p) => ({
    ...p,
    set: 'test',
  }));
  const held = pointsOf(series, (cell) => 1 - cell.bestAccuracy.mean).map((p) => ({ ...p, set: 'validation' }));
  const all = [...points, ...held].filter(({ value }) => value > 0);
  return {
    id: 'accuracy',
    title: 'Generalisation',
    about: 'Lowest error against the batch, on the held-out samples (circles) and on the test set (crosses).',
    drawing: Plot.plot({
      ...size,
      x: batchAxis,
      y: { type: 'log', label: 'lowest error', grid: true, tickFormat: '~%' },
      color: colours(series),
      symbol: { domain: ['validation', 'test'], range: ['circle', 'times'] },
      marks: [
        Plot.line(
          held.filter(({ value }) => value > 0),
          { x: 'batch', y: 'value', stroke: 'series', sort: 'batch' },
        ),
        Plot.dot(all, { x: 'batch', y: 'value', stroke: 'series', symbol: 'set', tip: true }),
      ],
    }),
  };
}

function learningFigure(report: SweepReport): Figure {
  const axes = report.trials.map(({ axes }) => Object.fromEntries(Object.entries(axes).filter(([k]) => k !== 'seed')));
  const names = axes.map((each) => wordsFor(each) || 'run');
  const rows = report.trials.flatMap(({ axes: { seed = '' }, evaluations }, i) =>
    evaluations
      .filter(({ accuracy }) => accuracy < 1)
      .map(({ epochs, accuracy }) => ({ epochs, error: 1 - accuracy, name: names[i], trial: `${names[i]} ${seed}` })),
  );
  return {
    id: 'learning',
    title: 'Learning',
    about: 'Error on the held-out samples by passes over the data, a line for each trial.',
    drawing: Plot.plot({
      ...size,
      width: 1140,
      height: 420,
      x: { label: 'epochs', grid: true },
      y: { type: 'log', label: 'error', grid: true, tickFormat: '~%' },
      color: { legend: true, domain: [...new Set(names)], range: rainbow(new Set(names).size) },
      marks: [
        Plot.line(rows, { x: 'epochs', y: 'error', z: 'trial', stroke: 'name', strokeWidth: 1.4, tip: true }),
        Plot.dot(rows, { x: 'epochs', y: 'error', fill: 'name', r: 2 }),
      ],
    }),
  };
}

/** As many colours in the order of the rainbow, all as light as each other: they are told from white and from black. */
function rainbow(count: number): readonly string[] {
  const [first, last] = [300, 20];
  return Array.from({ length: count }, (_, i) => {
    const hue = first + ((last - first) * i) / Math.max(count - 1, 1);
    return `oklch(0.64 0.16 ${hue.toFixed(0)})`;
  });
}

function colours(series: readonly Series[]) {
  return { legend: series.length > 1, domain: series.map(nameOf), scheme: 'Observable10' } as const;
}

function targetsText({ findings }: SweepReport): string {
  return [...new Set(findings.flatMap(({ target }) => target ?? []))].join(' or ') || 'the target';
}
