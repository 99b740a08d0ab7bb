import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Description } from './catalogue.js';

/** The metric that a description becomes. */
type Metric<D> =
  D extends Description<'counter', infer L>
    ? Counter<L>
    : D extends Description<'gauge', infer L>
      ? Gauge<L>
      : D extends Description<'histogram', infer L>
        ? Histogram<L>
        : never;

export type Metrics<Catalogue> = { readonly [K in keyof Catalogue]: Metric<Catalogue[K]> };

/** Creates every metric of a catalogue in `registry`. A name that is there already is a bug, and throws. */
export function register<const Catalogue extends Record<string, Description>>(
  catalogue: Catalogue,
  registry: Registry,
): Metrics<Catalogue> {
  const metrics = Object.entries(catalogue).map(([key, { type, name, help, labels, values, buckets }]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    switch (type) {
      case 'counter':
        return [key, begun(new Counter(common), values)];
      case 'gauge':
        return [key, new Gauge(common)];
      case 'histogram':
        return [key, new Histogram({ ...common, buckets: [...(buckets ?? [])] })];
    }
  });
  return Object.fromEntries(metrics) as Metrics<Catalogue>;
}

/** With a series at 0 for each combination of the labels' values. */
function begun(counter: Counter, values: Description['values']): Counter {
  let series: Readonly<Record<string, string>>[] = values ? [{}] : [];
  for (const [label, all] of Object.entries(values ?? {}))
    series = series.flatMap((labels) => all.map((value) => ({ ...labels, [label]: value })));
  for (const labels of series) counter.inc(labels, 0);
  return counter;
}
