import type { Admissions, NodeRecord, PlaceRecord, RunRecord } from '../transport/nats/run-ledger.js';

/** Who gets slots: pure rules over what NATS says. Every agent follows them, and NATS lets only one change at a time count. */

type Named<Value> = readonly { readonly key: string; readonly value: Value }[];

/** Higher priorities first, and among equals who came first. */
export function inOrder<Run extends Pick<RunRecord, 'priority' | 'submittedMs' | 'name'>>(
  runs: readonly Run[],
): readonly Run[] {
  return [...runs].sort(
    (a, b) => b.priority - a.priority || a.submittedMs - b.submittedMs || (a.name < b.name ? -1 : 1),
  );
}

export function slotCount(nodes: Named<NodeRecord>): number {
  return nodes.reduce((sum, { value }) => sum + value.slots.length, 0);
}

/**
 * Lets a queued run begin: it is the next in order, and the slots suffice for it beside all that were let begin. Nobody
 * overtakes, so that a large run is not kept waiting by small ones for ever.
 *
 * @returns who has been let begin then, or why it has to wait
 */
export function admission(
  run: RunRecord,
  runs: readonly RunRecord[],
  nodes: Named<NodeRecord>,
  admitted: Admissions,
): Admissions | string {
  const first = inOrder(runs.filter(({ state }) => state === 'queued'))[0];
  if (first && first.name !== run.name) return `${first.name} is before it`;
  const isGoing = new Set(
    runs.filter(({ state }) => state === 'running' || state === 'queued').map(({ name }) => name),
  );
  const others = Object.entries(admitted.workers).filter(([name]) => isGoing.has(name) && name !== run.name);
  const taken = others.reduce((sum, [, workers]) => sum + workers, 0);
  const free = Math.max(0, slotCount(nodes) - taken);
  if (free < run.workers) return `it needs ${run.workers} slots, and ${free} of ${slotCount(nodes)} are free`;
  return { workers: { ...Object.fromEntries(others), [run.name]: run.workers } };
}

/**
 * The place that a free slot should take: of the first running run that lacks a worker; if none does and nobody waits, of the
 * first that takes more than it needs.
 *
 * @returns undefined if there is nothing for it to do
 */
export function placeToTake(
  runs: readonly RunRecord[],
  places: Named<PlaceRecord>,
): { readonly run: RunRecord; readonly index: number } | undefined {
  const taken = new Set(places.map(({ key }) => key));
  const running = inOrder(runs.filter(({ state, stop }) => state === 'running' && stop !== true));
  const firstFree = (run: RunRecord, limit: number): number | undefined => {
    for (let index = 0; index < limit; index++) if (!taken.has(`${run.name}.${index}`)) return index;
    return undefined;
  };
  for (const run of running) {
    const index = firstFree(run, run.workers);
    if (index !== undefined) return { run, index };
  }
  if (runs.some(({ state }) => state === 'queued')) return undefined;
  for (const run of running) {
    const index = firstFree(run, run.maxWorkers);
    if (index !== undefined) return { run, index };
  }
  return undefined;
}
