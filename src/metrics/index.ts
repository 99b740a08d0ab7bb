/** What programs use of the metrics. */

export { Registry } from 'prom-client';
export { coordinatorMetrics, type CoordinatorMetrics } from './coordinator.js';
export { type Access } from './access.js';
export { MetricsExporter, type ExporterNeeds, type ExporterOptions, type Health } from './exporter.js';
export { workerMetrics, type WorkerMetrics } from './worker.js';
