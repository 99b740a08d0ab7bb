import type { OwnSetsSpec } from '../../core/run-spec.js';
import type { DataThread } from '../../own/data-thread.js';
import { streamMemory, type SampleStream } from './streamed-feed.js';

/** Where streams come from: one for each engine thread. */
export interface SampleSource {
  open(): SampleStream;
  /** How long a read may take before it counts as hung. */
  readonly readTimeoutMs: number;
  stop(): Promise<void>;
}

/** The samples of a run's module, which `thread` reads. @param path - of the module, for faults */
export function sampleSourceOf(
  thread: DataThread,
  path: string,
  sets: OwnSetsSpec,
  { microBatchSize, seed }: { readonly microBatchSize: number; readonly seed: number },
): SampleSource {
  const { readTimeoutMs, classes } = sets;
  return {
    readTimeoutMs,
    open() {
      const memory = streamMemory(sets, microBatchSize);
      const port = thread.connect({ memory, seed, ...(classes === undefined ? {} : { classes }) });
      return { path, sets, memory, port };
    },
    stop: () => thread.stop(),
  };
}
