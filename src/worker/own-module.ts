/** The module of a run on this machine, checked against the one that the run was begun with. */
import { hostname } from 'node:os';

import { systemClock } from '../core/clock.js';
import type { OwnSetsSpec, RunModuleSpec, RunSpec } from '../core/run-spec.js';
import { streamMemory, type SampleSource } from '../engine/feeds/streamed-feed.js';
import { ownLossOf, type OwnLossOptions } from '../engine/own-loss-options.js';
import { DataThread } from '../own/data-thread.js';
import { fault } from '../own/faults.js';
import { moduleDigest } from '../own/module-digest.js';

export interface OwnModule {
  readonly ownLoss: OwnLossOptions;
  /** Absent where the run takes files that Lockstep reads itself. */
  readonly samples: SampleSource | undefined;
}

/**
 * @param here - where the module lies on this machine, if not where it lay when the run was begun
 * @throws LockstepError `RUN_MODULE_MISSING`, `RUN_MODULE_DIFFERS`, `RUN_DATA_DIFFERS`; as `DataThread.open` does
 */
export async function openOwnModule(
  spec: RunSpec,
  module: RunModuleSpec,
  here: string | undefined,
): Promise<OwnModule> {
  const path = here ?? module.path;
  const is = await moduleDigest(path);
  if (is !== module.sha256) throw fault('RUN_MODULE_DIFFERS', { path, host: hostname(), was: module.sha256, is });
  const { sets } = module;
  const ownLoss = ownLossOf({ ...module, path });
  return { ownLoss, samples: sets && (await openSamples(path, sets, spec)) };
}

async function openSamples(path: string, sets: OwnSetsSpec, { microBatchSize, seed }: RunSpec): Promise<SampleSource> {
  const { readTimeoutMs, classes } = sets;
  const thread = await DataThread.open({ path, readTimeoutMs }, systemClock);
  for (const role of ['train', 'test'] as const) {
    const [was, is] = [sets[role], { ...thread.sets[role], probe: thread.probes[role] }];
    const what = (['set', 'length', 'x', 'y', 'probe'] as const).find((key) => inWords(was[key]) !== inWords(is[key]));
    if (what === undefined) continue;
    await thread.stop();
    const facts = { path, host: hostname(), set: was.set, was: inWords(was[what]), is: inWords(is[what]) };
    throw fault('RUN_DATA_DIFFERS', { ...facts, what: what === 'probe' ? 'digest of a few samples' : what });
  }
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

function inWords(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 12) : JSON.stringify(value);
}
