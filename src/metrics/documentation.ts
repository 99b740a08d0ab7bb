/** docs/metrics.md, from the catalogue. `scripts/docs.mjs` writes it and a test checks that it is current. */

import { coordinatorCatalogue, workerCatalogue, type Description } from './catalogue.js';

const introduction = `# Metrics

<!-- Written by scripts/docs.mjs from src/metrics/catalogue.ts: change it there. -->

The coordinator and every worker serve \`/metrics\` and \`/healthz\` over HTTP on \`--metrics-port\`. One process owns each
series: ask the coordinator about the run, a worker about itself, and never add up both. Beside these tables, each
process publishes Node's own metrics as prom-client names them (\`process_resident_memory_bytes\`,
\`nodejs_eventloop_lag_p99_seconds\`, \`nodejs_gc_duration_seconds\` and so on).

Useful questions:

\`\`\`
rate(lockstep_images_total[1m])                                                          images/s of the run
sum by (phase) (rate(lockstep_worker_step_phase_seconds_sum[1m]))                        where the time goes
histogram_quantile(0.99, sum by (le) (rate(lockstep_worker_step_phase_seconds_bucket{phase="wait"}[5m])))
\`\`\`
`;

export function metricsPage(): string {
  return [
    introduction,
    section('Coordinator: the run', coordinatorCatalogue),
    section('Worker: itself', workerCatalogue),
  ].join('\n');
}

function section(title: string, catalogue: Readonly<Record<string, Description>>): string {
  const rows = Object.values(catalogue).map(({ name, type, labels, help, buckets }) => {
    const words = buckets ? `${help} Buckets: ${buckets.join(', ')}.` : help;
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${words} |`;
  });
  return `## ${title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
