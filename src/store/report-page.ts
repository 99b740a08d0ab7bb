/** report.html: one self-contained page with what a run came to, and its curves. */
import type { EvaluationRecord, RunReport, StepRecord } from '../core/events.js';
import { chart, escapeHtml } from './chart.js';

export function reportPage(
  report: RunReport,
  steps: readonly StepRecord[],
  evaluations: readonly EvaluationRecord[],
): string {
  const ran = steps.filter((s) => !s.skipped);
  const loss = chart(
    [
      { label: 'training', points: ran.map((s) => ({ x: s.step, y: s.loss })) },
      { label: 'test', points: evaluations.map((e) => ({ x: e.step, y: e.testLoss })), hasDots: true },
    ],
    { title: 'Loss', xLabel: 'step', logarithmic: true, formatY: (y) => String(Number(y.toPrecision(3))) },
  );
  const accuracy = chart(
    [
      { label: 'training', points: ran.map((s) => ({ x: s.step, y: s.accuracy })) },
      { label: 'test', points: evaluations.map((e) => ({ x: e.step, y: e.testAccuracy })), hasDots: true },
    ],
    { title: 'Accuracy', xLabel: 'step', formatY: percent },
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${report.model}, ${report.runId}`)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(report.model)} <small>${escapeHtml(report.runId)}</small></h1>
<p class="headline">${escapeHtml(headline(report))}</p>
<figure>${loss}</figure>
<figure>${accuracy}</figure>
<table>${facts(report)
    .map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('\n')}</table>
</body>
</html>
`;
}

function headline(report: RunReport): string {
  const outcome = {
    finished: 'Finished',
    'target-reached': 'Reached its target accuracy',
    interrupted: 'Interrupted and saved',
  }[report.outcome];
  const accuracy = report.testAccuracy === null ? '' : `, test accuracy ${percent(report.testAccuracy)}`;
  return `${outcome} after ${report.steps} steps in ${report.secondsTotal.toFixed(1)} s${accuracy}.`;
}

function facts(report: RunReport): readonly (readonly [string, string])[] {
  const exact = report.bitExact ? 'yes, on any number of workers' : `no: ${report.bitExactReason ?? 'not known'}`;
  return [
    ['Epochs', String(report.epochs)],
    ['Images per second', String(Math.round(report.imagesPerSecond))],
    ['Best test accuracy', report.bestTestAccuracy === null ? 'not evaluated' : percent(report.bestTestAccuracy)],
    ['Last training loss', report.finalLoss === null ? 'none' : String(Number(report.finalLoss.toPrecision(6)))],
    ['Parameters', String(report.parameterCount)],
    ['Optimizer', report.optimizer],
    ['Global batch, micro-batch', `${report.globalBatchSize}, ${report.microBatchSize}`],
    ['Workers', String(report.worldSize)],
    ['Engine', report.engine],
    ['Skipped steps', String(report.skippedSteps)],
    ['Same bits', exact],
    ['Digest of the weights', report.weightsDigest],
  ];
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #66707d; --line: #e3e7ec; --page: #ffffff; --a: #8fa8c8; --b: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #98a2af; --line: #2d343d; --page: #14181d; --a: #6f8fb8; --b: #ff8a4c; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { margin: 0; } h1 small { font-size: 1rem; font-weight: 400; color: var(--quiet); }
.headline { margin: .25rem 0 1.5rem; font-size: 1.1rem; }
figure { margin: 0 0 1.5rem; } svg { width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet); } svg .title { font-size: 14px; font-weight: 600; fill: var(--ink); }
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.series-0 { stroke: var(--a); } .series-1 { stroke: var(--b); } .dot.series-1 { fill: var(--b); stroke: var(--page); stroke-width: 1.5; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; } tr { border-top: 1px solid var(--line); }
th { text-align: left; font-weight: 400; color: var(--quiet); padding: .35rem 1rem .35rem 0; white-space: nowrap; vertical-align: top; }
td { overflow-wrap: anywhere; }
`;
