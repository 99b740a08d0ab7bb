import type { MetricSpec } from '../core/run-spec.js';
import type { SampleFormat } from '../data/dataset.js';

/** What an engine's thread needs to compute the metrics of a run. */
export interface MetricOptions {
  /** At least one. */
  readonly metrics: readonly MetricSpec[];
  /** File of the run's module on this machine; of a run without one, what names it in faults. */
  readonly path: string;
  /** Of a sample's label. */
  readonly labels: SampleFormat;
}
