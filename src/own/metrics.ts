/** The metrics of a run, as its module names them. */
import type { MetricSpec } from '../core/run-spec.js';
import type { MetricName, RunDefinition, SampleFunction } from './definition.js';

export interface NamedMetric {
  readonly name: string;
  readonly of: MetricName | SampleFunction;
}

export const metricNames: readonly string[] = [
  'accuracy',
  'top5Accuracy',
  'meanAbsoluteError',
  'meanSquaredError',
] satisfies MetricName[];

/** Each is a series of Prometheus. */
const metricsMax = 20;

export function metricsOf({ metrics = [] }: Pick<RunDefinition, 'metrics'>): readonly NamedMetric[] {
  const entries = Array.isArray(metrics)
    ? metrics.map((name) => [String(name), name] as const)
    : Object.entries(metrics);
  return entries.map(([name, of]) => ({ name, of: of as NamedMetric['of'] }));
}

/** As they travel; undefined without any. */
export function metricSpecsOf(run: Pick<RunDefinition, 'metrics'>): readonly MetricSpec[] | undefined {
  const specs = metricsOf(run).map(({ name, of }): MetricSpec => ({ name, of: typeof of === 'function' ? 'own' : of }));
  return specs.length > 0 ? specs : undefined;
}

/** @returns what is wrong with them, if anything is */
export function wrongMetrics(metrics: unknown): string | undefined {
  if (metrics === undefined) return undefined;
  if (typeof metrics !== 'object' || metrics === null) return `metrics is of type ${typeof metrics}`;
  const all = metricsOf({ metrics: metrics as NonNullable<RunDefinition['metrics']> });
  if (all.length > metricsMax) return `it has ${all.length} metrics, and ${metricsMax} are the most`;
  for (const { name, of } of all) {
    if (typeof of !== 'function' && !metricNames.includes(of))
      return `metrics.${name} is ${String(of)}, not a function or one of ${metricNames.join(', ')}`;
    if (!/^[A-Za-z][\w-]{0,39}$/.test(name))
      return `the metric ${JSON.stringify(name)} needs a name of letters and digits`;
  }
  return undefined;
}
