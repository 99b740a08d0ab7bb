import type { Picture } from '../../src/live/picture.js';
import { byId } from './dom.js';

/** Two buttons that save what the page shows as files. */
export function offerExport(current: () => Picture | undefined): void {
  const offer = (id: string, type: string, extension: string, text: (picture: Picture) => string): void => {
    byId(id).addEventListener('click', () => {
      const picture = current();
      if (!picture) return;
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text(picture)], { type }));
      link.download = `${picture.runId}.${extension}`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  };
  offer('export-json', 'application/json', 'json', (picture) => JSON.stringify(picture, null, 2));
  offer('export-csv', 'text/csv', 'csv', curvesAsCsv);
}

function curvesAsCsv({ curves, evaluations }: Picture): string {
  const columns = ['step', 'loss', 'accuracy', 'imagesPerSecond', 'learningRate', 'gradientNorm', 'worldSize'] as const;
  const tests = new Map(evaluations.map((evaluation) => [evaluation.step, evaluation]));
  const rows = new Map<number, string>();
  curves.step.forEach((step, i) => rows.set(step, columns.map((name) => curves[name][i] ?? '').join(',')));
  for (const step of tests.keys()) if (!rows.has(step)) rows.set(step, `${step}${','.repeat(columns.length - 1)}`);
  const lines = [...rows]
    .sort(([a], [b]) => a - b)
    .map(([step, row]) => `${row},${tests.get(step)?.testLoss ?? ''},${tests.get(step)?.testAccuracy ?? ''}`);
  return [`${columns.join(',')},testLoss,testAccuracy`, ...lines, ''].join('\n');
}
