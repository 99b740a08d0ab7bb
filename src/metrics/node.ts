import { collectDefaultMetrics, type Registry } from 'prom-client';

/**
 * What prom-client publishes of Node against Prometheus's rules: gauges that are named like counters, and values by type
 * of handle or resource, whose sum says nothing about a run.
 */
const leftOut = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
];

/** How often the event loop's delay is looked at, in ms: each look wakes the thread that exchanges gradients. */
const delayEveryMs = 50;

/** Node's own metrics: memory, processor time, event-loop delay, garbage collection. */
export function nodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: delayEveryMs });
  for (const name of leftOut) registry.removeSingleMetric(name);
}
