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
  const metrics = Object.entries(catalogue).map(([key, { type, name, help, labels, buckets }]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    switch (type) {
      case 'counter':
        return [key, new Counter(common)];
      case 'gauge':
        return [key, new Gauge(common)];
      case 'histogram':
        return [key, new Histogram({ ...common, buckets: [...(buckets ?? [])] })];
    }
  });
  return Object.fromEntries(metrics) as Metrics<Catalogue>;
}
