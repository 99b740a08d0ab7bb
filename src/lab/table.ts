import { wordsFor, type Cell, type Figure, type TargetFigures } from './summary.js';

/** The table of the seed experiment, a line for each point of the grid. */
export interface Table {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** For people: rounded, times relative to the shortest, `-` for what was not reached. */
export function tableOf(cells: readonly Cell[]): Table {
  const shortestEpoch = Math.min(...cells.map(({ secondsPerEpoch }) => secondsPerEpoch.mean));
  const targets = cells[0]?.targets.map(({ target }) => target) ?? [];
  const shortest = targets.map((_, i) => Math.min(...cells.flatMap((cell) => cell.targets[i]?.seconds?.mean ?? [])));
  const otherAxes = Object.keys(cells[0]?.axes ?? {}).filter((name) => name !== 'global-batch');
  return {
    heading: [
      'batch',
      ...otherAxes,
      'steps',
      'epochs',
      'time of an epoch',
      ...targets.flatMap((target) => [`${target} at epoch`, 'step', 'time']),
      'best validation',
      'at epoch',
      'best test',
      'at epoch',
      'final test error',
      'ended',
    ],
    rows: cells.map((cell) => [
      whole(cell.batch),
      ...otherAxes.map((name) => cell.axes[name] ?? ''),
      whole(cell.iterations.mean),
      short(cell.epochs.mean),
      short(cell.secondsPerEpoch.mean / shortestEpoch),
      ...cell.targets.flatMap((target, i) => targetTexts(target, shortest[i]!, cell.trials)),
      share(cell.bestAccuracy),
      short(cell.bestEpoch.mean),
      cell.bestTestAccuracy ? share(cell.bestTestAccuracy) : '-',
      cell.bestTestEpoch ? short(cell.bestTestEpoch.mean) : '-',
      cell.finalTestAccuracy ? (1 - cell.finalTestAccuracy.mean).toFixed(4) : '-',
      [...new Set(cell.ends)].join(', '),
    ]),
  };
}

function targetTexts({ reachedBy, epochs, steps, seconds }: TargetFigures, shortest: number, trials: number): string[] {
  if (!epochs || !steps || !seconds) return ['-', '-', '-'];
  const some = reachedBy < trials ? ` (${reachedBy} of ${trials})` : '';
  return [`${short(epochs.mean)}${some}`, whole(steps.mean), short(seconds.mean / shortest)];
}

function whole(value: number): string {
  return String(Math.round(value));
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function share({ mean, deviation }: Figure): string {
  return deviation > 0 ? `${mean.toFixed(4)} ±${deviation.toFixed(4)}` : mean.toFixed(4);
}

/** Columns as wide as they need to be, headings in two lines where that is narrower. */
export function tableText({ heading, rows }: Table): string {
  const widths = heading.map((title, i) =>
    Math.max(...title.split(' ').map((word) => word.length), ...rows.map((row) => row[i]!.length)),
  );
  const wrapped = heading.map((title, i) => wrap(title, widths[i]!));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  const lines = [
    ...Array.from({ length: height }, (_, line) =>
      wrapped.map((lines, i) => (lines[line - height + lines.length] ?? '').padStart(widths[i]!)).join('  '),
    ),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map((row) => row.map((text, i) => text.padStart(widths[i]!)).join('  ')),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function wrap(title: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of title.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function tableMarkdown({ heading, rows }: Table): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |\n`;
  return line(heading) + line(heading.map(() => '---')) + rows.map(line).join('');
}

/** For programs: everything, not rounded, one line a point of the grid. */
export function tableCsv(cells: readonly Cell[]): string {
  const figure = (name: string, value: Figure | undefined): Record<string, string | number> => ({
    [name]: value?.mean ?? '',
    [`${name}_sd`]: value?.deviation ?? '',
  });
  const records = cells.map((cell) => ({
    axes: wordsFor(cell.axes),
    batch: cell.batch,
    trials: cell.trials,
    ...figure('steps', cell.iterations),
    ...figure('epochs', cell.epochs),
    ...figure('seconds_per_epoch', cell.secondsPerEpoch),
    ...figure('images_per_second', cell.imagesPerSecond),
    ...Object.fromEntries(
      cell.targets.flatMap(({ target, reachedBy, epochs, steps, samples, seconds }) => [
        [`reached_${target}`, reachedBy],
        ...Object.entries(figure(`epochs_to_${target}`, epochs)),
        ...Object.entries(figure(`steps_to_${target}`, steps)),
        ...Object.entries(figure(`samples_to_${target}`, samples)),
        ...Object.entries(figure(`seconds_to_${target}`, seconds)),
      ]),
    ),
    ...figure('best_validation', cell.bestAccuracy),
    ...figure('best_validation_epoch', cell.bestEpoch),
    ...figure('best_test', cell.bestTestAccuracy),
    ...figure('final_test', cell.finalTestAccuracy),
    ended: cell.ends.join(' '),
  }));
  const lines = [Object.keys(records[0] ?? {}), ...records.map((record) => Object.values(record))];
  return lines.map((line) => `${line.map(quoted).join(',')}\n`).join('');
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
