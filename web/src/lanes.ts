import { inputShare, phaseShares, phaseWords } from '../../src/live/explain.js';
import type { Lane } from '../../src/live/picture.js';
import { byId, keyed, make, setText } from './dom.js';
import { percent } from './format.js';

const phases = ['compute', 'wait', 'exchange', 'update'] as const;
const svgNames = 'http://www.w3.org/2000/svg';
/** Of the drawing of the last steps; it is stretched to the width that there is. */
const [drawingWidth, drawingHeight] = [1000, 22];

/** A lane for each worker: its last steps on one clock, the shares of all of them, and in words for whom it waits. */
export function showLanes(lanes: readonly Lane[]): void {
  const legend = byId('legend');
  if (legend.childElementCount === 0)
    for (const phase of phases) {
      const entry = make('span');
      entry.append(make('i', phase), phaseWords[phase]);
      legend.append(entry);
    }
  const present = lanes.filter(({ rank, steps }) => rank !== null || steps > 0);
  const span = clockSpan(present);
  const rows = keyed(byId('lanes'), present, ({ worker }) => worker, createRow);
  rows.forEach((row, i) => update(row, present[i] as Lane, span));
}

/** The last steps of all workers together: when they began and ended, on one clock. */
function clockSpan(lanes: readonly Lane[]): { fromMs: number; toMs: number } {
  const current = lanes.filter(({ rank }) => rank !== null);
  const source = current.length > 0 ? current : lanes;
  const recent = source.flatMap((lane) => lane.recent);
  const ends = recent.map(({ beginMs, ms }) => beginMs + ms[0] + ms[1] + ms[2] + ms[3]);
  const toMs = Math.max(...ends, 0);
  const begins = recent.map(({ beginMs }) => beginMs);
  return { fromMs: Math.min(...begins, toMs), toMs: Math.max(toMs, Math.min(...begins, toMs) + 1) };
}

function createRow(): HTMLElement {
  const row = make('div', 'lane');
  const drawing = document.createElementNS(svgNames, 'svg');
  drawing.setAttribute('viewBox', `0 0 ${drawingWidth} ${drawingHeight}`);
  drawing.setAttribute('preserveAspectRatio', 'none');
  drawing.setAttribute('aria-hidden', 'true');
  row.append(make('h3'), drawing as unknown as Node, make('p', 'quiet'));
  return row;
}

function update(row: HTMLElement, lane: Lane, { fromMs, toMs }: { fromMs: number; toMs: number }): void {
  const [name, drawing, words] = [...row.children] as unknown as [HTMLElement, SVGSVGElement, HTMLElement];
  setText(name, lane.worker);
  row.classList.toggle('gone', lane.rank === null);
  const perMs = drawingWidth / (toMs - fromMs);
  const parts = document.createDocumentFragment();
  for (const { beginMs, ms } of lane.rank === null ? [] : lane.recent) {
    let at = beginMs;
    for (const [i, phase] of phases.entries()) {
      const part = ms[i] as number;
      if (part * perMs >= 0.5) parts.append(bar(phase, (at - fromMs) * perMs, part * perMs));
      at += part;
    }
  }
  drawing.replaceChildren(parts);
  setText(words, lane.rank === null ? 'not here any more' : inWords(lane));
}

function bar(phase: string, x: number, width: number): SVGRectElement {
  const rect = document.createElementNS(svgNames, 'rect');
  rect.setAttribute('class', phase);
  rect.setAttribute('x', x.toFixed(1));
  rect.setAttribute('width', Math.max(0.5, width - 0.4).toFixed(1));
  rect.setAttribute('height', String(drawingHeight));
  return rect;
}

function inWords(lane: Lane): string {
  const { compute, wait, exchange, update } = phaseShares(lane.seconds);
  const whom = lane.waitsFor === null ? '' : ` for ${lane.waitsFor}`;
  const input = inputShare(lane.seconds);
  const reading = input >= 0.005 ? ` (${percent(input, 0)} of it for samples to be read)` : '';
  return `computes ${percent(compute, 0)}${reading}, waits ${percent(wait, 0)}${whom}, exchanges ${percent(exchange, 0)}, updates ${percent(update, 0)}`;
}
