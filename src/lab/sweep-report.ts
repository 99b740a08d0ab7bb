import { join } from 'node:path';
import { writeFileAtomically } from '../core/atomic-file.js';
import { findingOf } from './findings.js';
import { sweepPage } from './page.js';
import type { SweepReport } from './report-form.js';
import { seedChecks } from './seed-checks.js';
import { cellsOf, seriesOf } from './summary.js';
import { tableCsv, tableMarkdown, tableOf, tableText } from './table.js';
import type { TrialRecord } from './trial-record.js';

export interface ReportOptions {
  readonly targets: readonly number[];
  readonly planned: number;
  readonly command: string;
  readonly preset: string | undefined;
  readonly secondsMax: number | undefined;
}

export function sweepReport(trials: readonly TrialRecord[], options: ReportOptions): SweepReport {
  const { targets, planned, command, preset, secondsMax } = options;
  const cells = cellsOf(trials, targets);
  const findings = seriesOf(cells).map(findingOf);
  const checks = preset === 'seed' ? seedChecks(cells) : [];
  const notes = notesOn(trials, options);
  const text = [
    tableText(tableOf(cells)),
    ...notes.map((note) => `${note}\n`),
    ...findings.flatMap(({ words }) => ['\n', ...words.map((line) => `${line}\n`)]),
    ...(checks.length > 0 ? ['\nThe conclusions of the original experiment:\n'] : []),
    ...checks.map(({ claim, holds, evidence }) => `  ${verdict(holds)}: ${claim} (${evidence})\n`),
  ].join('');
  const done = trials.length;
  return {
    formatVersion: 1,
    command,
    targets,
    planned,
    done,
    secondsMax,
    cells,
    findings,
    checks,
    notes,
    trials,
    text,
  };
}

/** What somebody who reads the table must know. */
function notesOn(trials: readonly TrialRecord[], { planned, secondsMax }: ReportOptions): string[] {
  const cut = trials.filter(({ end }) => end === 'time').length;
  return [
    ...(trials.length < planned
      ? [`${planned - trials.length} of ${planned} trials are still to be done: the same command goes on with them.`]
      : []),
    ...(cut > 0
      ? [
          `${cut} of ${trials.length} trials were cut off after ${secondsMax ?? '?'} s of training: they may have had more in them.`,
        ]
      : []),
  ];
}

function verdict(holds: boolean | undefined): string {
  return holds === undefined ? 'cannot be said' : holds ? 'holds' : 'does not hold';
}

/** Writes what a sweep leaves beside its trials. */
export async function writeSweepReport(folder: string, report: SweepReport): Promise<void> {
  const write = (name: string, text: string) => writeFileAtomically(join(folder, name), [Buffer.from(text)]);
  await write('sweep.json', `${JSON.stringify({ ...report, text: undefined }, undefined, 1)}\n`);
  await write('sweep.csv', tableCsv(report.cells));
  await write('sweep.md', tableMarkdown(tableOf(report.cells)));
  await write('sweep.html', await sweepPage(report));
}
