/** A line chart as inline SVG: no script, nothing to load. Colours come from the page's CSS: `.series-0`, `.series-1`. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Series {
  readonly label: string;
  /** Ascending in x. Points that are not finite are left out. */
  readonly points: readonly Point[];
  /** Draws every point as a dot that names its values when the mouse rests on it. */
  readonly hasDots?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  /** Logarithmic where the values are positive and span more than a factor of 20. */
  readonly logarithmic?: boolean;
  readonly formatY: (y: number) => string;
}

const width = 680;
const height = 300;
const margin = { top: 34, right: 18, bottom: 38, left: 58 };
/** More points than this are averaged over equal stretches of x: a line has no more pixels than that. */
const pointsMax = 320;

export function chart(series: readonly Series[], options: ChartOptions): string {
  const drawn = series.map((s) => ({ ...s, points: thin(s.points.filter((p) => Number.isFinite(p.y))) }));
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const x = linearScale(extent(all.map((p) => p.x)), margin.left, width - margin.right);
  const y = scaleOfY(extent(all.map((p) => p.y)), options.logarithmic ?? false);
  const grid = y.ticks.map(
    (t) =>
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${px(y.at(t))}" y2="${px(y.at(t))}"/>` +
      `<text class="tick" x="${margin.left - 8}" y="${px(y.at(t) + 4)}" text-anchor="end">${options.formatY(t)}</text>`,
  );
  const ticks = x.ticks.map(
    (t) => `<text class="tick" x="${px(x.at(t))}" y="${height - margin.bottom + 18}" text-anchor="middle">${t}</text>`,
  );
  const lines = drawn.map(({ points, hasDots, label }, i) => {
    const path = points.map((p, k) => `${k === 0 ? 'M' : 'L'}${px(x.at(p.x))} ${px(y.at(p.y))}`).join('');
    const dots = points.map(
      (p) =>
        `<circle class="dot series-${i}" cx="${px(x.at(p.x))}" cy="${px(y.at(p.y))}" r="4">` +
        `<title>${escapeHtml(label)}, ${escapeHtml(options.xLabel)} ${p.x}: ${options.formatY(p.y)}</title></circle>`,
    );
    return `<path class="line series-${i}" d="${path}"/>${hasDots ? dots.join('') : ''}`;
  });
  const legend = drawn.map(
    ({ label }, i) =>
      `<g transform="translate(${width - margin.right - 110 * (drawn.length - i)} 14)"><line class="line series-${i}" x2="16"/>` +
      `<text class="label" x="22" y="4">${escapeHtml(label)}</text></g>`,
  );
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(options.title)}">` +
    `<text class="title" x="${margin.left}" y="18">${escapeHtml(options.title)}</text>` +
    `${grid.join('')}${ticks.join('')}${lines.join('')}${legend.join('')}` +
    `<text class="tick" x="${width - margin.right}" y="${height - 4}" text-anchor="end">${escapeHtml(options.xLabel)}</text></svg>`
  );
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function linearScale([low, high]: readonly [number, number], from: number, to: number): Scale {
  const span = high - low || 1;
  return { at: (v) => from + ((v - low) / span) * (to - from), ticks: linearTicks(low, low + span) };
}

function scaleOfY([low, high]: readonly [number, number], logarithmic: boolean): Scale {
  const [bottom, top] = [height - margin.bottom, margin.top];
  if (!logarithmic || low <= 0 || high < 20 * low) return linearScale(roundedOut(low, high), bottom, top);
  const inner = linearScale([Math.log10(low), Math.log10(high)], bottom, top);
  const decades = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((n) => Number(`1e${n}`));
  return {
    at: (v) => inner.at(Math.log10(v)),
    ticks: decades.flatMap((d) => [d, 2 * d, 5 * d]).filter((t) => t >= low && t <= high),
  };
}

/** The range widened to whole ticks, so that the curve lies between two lines of the grid. */
function roundedOut(low: number, high: number): readonly [number, number] {
  const step = tickStep(high - low || Math.abs(high) || 1);
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}

/** 1, 2 or 5 times a power of ten, about a fifth of the span. */
function tickStep(span: number): number {
  const rough = span / 5;
  const power = Number(`1e${Math.floor(Math.log10(rough))}`);
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough) ?? rough;
}

function linearTicks(low: number, high: number): readonly number[] {
  const step = tickStep(high - low);
  const ticks: number[] = [];
  // Half a millionth of a step more, because low and high may be ticks that were rounded themselves.
  for (let n = Math.ceil(low / step - 5e-7); n <= high / step + 5e-7; n++)
    ticks.push(Number((n * step).toPrecision(12)));
  return ticks;
}

function thin(points: readonly Point[]): readonly Point[] {
  if (points.length <= pointsMax) return points;
  return Array.from({ length: pointsMax }, (_, i) => {
    const part = points.slice(
      Math.floor((i * points.length) / pointsMax),
      Math.floor(((i + 1) * points.length) / pointsMax),
    );
    const mean = (valueOf: (p: Point) => number) => part.reduce((sum, p) => sum + valueOf(p), 0) / part.length;
    return { x: mean((p) => p.x), y: mean((p) => p.y) };
  });
}

function extent(values: readonly number[]): readonly [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], v) => [Math.min(low, v), Math.max(high, v)],
    [Infinity, -Infinity],
  );
}

/** Tenths of a pixel are enough, and keep the page small. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}
