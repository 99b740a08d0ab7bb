import uPlot from 'uplot';
import type { Picture } from '../../src/live/picture.js';
import { byId, setText } from './dom.js';
import { grouped, percent, significant } from './format.js';

type Column = (number | null)[];

interface Line {
  readonly label: string;
  /** A variable of the style sheet. */
  readonly colour: string;
  /** Seldom measured: dots, joined by a line. */
  readonly hasDots?: boolean;
}

const heightPx = 220;

function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** One chart: drawn by uPlot, read with the mouse or the arrow keys, and told in words to whoever cannot see it. */
class Chart {
  private plot: uPlot | undefined;
  private readonly place: HTMLElement;
  private readonly reading: HTMLElement;
  private data: Column[] = [[]];
  isLogarithmic = false;

  constructor(
    figure: HTMLElement,
    private readonly title: string,
    private readonly lines: readonly Line[],
    private readonly format: (value: number) => string,
    private readonly range?: [number | null, number | null],
  ) {
    this.place = figure.querySelector('.chart') as HTMLElement;
    this.reading = figure.querySelector('.reading') as HTMLElement;
    this.place.tabIndex = 0;
    this.place.setAttribute('role', 'img');
    this.place.addEventListener('keydown', (event) => this.onKey(event));
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.place);
  }

  show(data: Column[]): void {
    this.data = data;
    if (!this.plot) this.draw();
    else this.plot.setData(data as uPlot.AlignedData);
    this.place.setAttribute('aria-label', `${this.title}. ${this.inWords()} Arrow keys read the values.`);
    if ((this.plot?.cursor.idx ?? null) === null) setText(this.reading, this.inWords());
  }

  /** Anew: another scale, or other colours. */
  draw(): void {
    this.plot?.destroy();
    const axis: uPlot.Axis = {
      stroke: () => variable('--quiet'),
      grid: { stroke: () => variable('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    this.plot = new uPlot(
      {
        ...this.size(),
        padding: [8, 18, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: 'steps' }, drag: { x: true, y: false }, points: { size: 7 } },
        scales: {
          x: { time: false },
          y: this.isLogarithmic ? { distr: 3 } : { ...(this.range ? { range: this.rangeOf(this.range) } : {}) },
        },
        axes: [
          { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => grouped(tick)) },
          {
            ...axis,
            size: 56,
            values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : this.format(tick))),
          },
        ],
        series: [
          {},
          ...this.lines.map(({ label, colour, hasDots = false }) => ({
            label,
            stroke: () => variable(colour),
            width: hasDots ? 1.5 : 1.25,
            spanGaps: true,
            points: { show: hasDots, size: 6, fill: () => variable(colour) },
          })),
        ],
        hooks: { setCursor: [(plot) => this.read(plot.cursor.idx ?? null)] },
      },
      this.data as uPlot.AlignedData,
      this.place,
    );
  }

  private rangeOf([least, most]: [number | null, number | null]): uPlot.Range.Function {
    return (_, low, high) => [least ?? low, most ?? (high === low ? high + 1 : high * 1.08)];
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(200, this.place.clientWidth), height: heightPx };
  }

  private onKey(event: KeyboardEvent): void {
    const [steps = []] = this.data;
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -steps.length, End: steps.length }[
      event.key
    ];
    if (by === undefined || !this.plot || steps.length === 0) return;
    event.preventDefault();
    const at = this.plot.cursor.idx ?? (by < 0 ? steps.length : -1);
    const index = Math.min(steps.length - 1, Math.max(0, at + by));
    this.plot.setCursor({ left: this.plot.valToPos(steps[index] as number, 'x'), top: 1 });
    setText(byId('announce'), `${this.title}, ${this.wordsAt(index)}`);
  }

  private read(index: number | null): void {
    setText(this.reading, index === null ? this.inWords() : this.wordsAt(index));
  }

  private wordsAt(index: number): string {
    const values = this.lines.flatMap(({ label }, i) => {
      const value = this.data[i + 1]?.[index];
      return value == null ? [] : [`${label} ${this.format(value)}`];
    });
    return `step ${grouped(this.data[0]?.[index] ?? 0)}: ${values.join(', ')}`;
  }

  /** The last value of each line. */
  private inWords(): string {
    const last = this.lines.flatMap(({ label }, i) => {
      const value = this.data[i + 1]?.findLast((v) => v != null);
      return value == null ? [] : [`${label} ${this.format(value)}`];
    });
    return last.length > 0 ? `Last: ${last.join(', ')}.` : 'Nothing yet.';
  }
}

/** The curves of a run. */
export class Charts {
  private readonly loss: Chart;
  private readonly accuracy: Chart;
  private readonly speed: Chart;

  constructor() {
    const lines = [
      { label: 'training', colour: '--train' },
      { label: 'test', colour: '--test', hasDots: true },
    ];
    this.loss = new Chart(byId('loss'), 'Loss by step', lines, (value) => significant(value, 3));
    this.accuracy = new Chart(byId('accuracy'), 'Accuracy by step', lines, (value) => percent(value, 1), [null, 1]);
    this.speed = new Chart(
      byId('speed'),
      'Images per second by step',
      [
        { label: 'mean', colour: '--test' },
        { label: 'here', colour: '--train' },
      ],
      grouped,
      [0, null],
    );
    const scale = byId<HTMLInputElement>('log-scale');
    this.loss.isLogarithmic = scale.checked;
    scale.addEventListener('change', () => {
      this.loss.isLogarithmic = scale.checked;
      this.loss.draw();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const chart of [this.loss, this.accuracy, this.speed]) chart.draw();
    });
  }

  show({ facts, curves, evaluations }: Picture): void {
    byId('accuracy').hidden = facts?.hasAccuracy === false;
    const steps = [...new Set([...curves.step, ...evaluations.map(({ step }) => step)])].sort((a, b) => a - b);
    const at = new Map(steps.map((step, i) => [step, i]));
    const spread = (from: readonly number[], values: readonly (number | null)[]): Column => {
      const column: Column = new Array(steps.length).fill(null);
      from.forEach((step, i) => (column[at.get(step) as number] = values[i] ?? null));
      return column;
    };
    const evaluated = evaluations.map(({ step }) => step);
    const positive = (value: number | null) => (value !== null && value > 0 ? value : null); // a logarithm needs it
    this.loss.show([
      steps,
      spread(curves.step, curves.loss.map(positive)),
      spread(
        evaluated,
        evaluations.map(({ testLoss }) => positive(testLoss)),
      ),
    ]);
    this.accuracy.show([
      steps,
      spread(curves.step, curves.accuracy),
      spread(
        evaluated,
        evaluations.map(({ testAccuracy }) => testAccuracy),
      ),
    ]);
    this.speed.show([[...curves.step], smoothed(curves.imagesPerSecond), [...curves.imagesPerSecond]]);
  }
}

/** The mean over a fortieth of the run, up to each value: what the eye looks for in a restless line. */
function smoothed(values: readonly number[]): number[] {
  const width = Math.max(1, Math.ceil(values.length / 40));
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= width ? (values[i - width] as number) : 0);
    return sum / Math.min(i + 1, width);
  });
}
