/** The module of a run on this machine, checked against the one that the run was begun with. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename } from 'node:path';

import { systemClock } from '../core/clock.js';
import type { OwnSetsSpec, RunModuleSpec, RunSpec } from '../core/run-spec.js';
import { sampleSourceOf, type SampleSource } from '../engine/feeds/sample-source.js';
import { ownLossOf, type OwnLossOptions } from '../engine/own-loss-options.js';
import { DataThread } from '../own/data-thread.js';
import { fault } from '../own/faults.js';
import { moduleDigest } from '../own/module-digest.js';
import type { ReceivedModules } from '../own/received-modules.js';

export interface OwnModule {
  readonly ownLoss: OwnLossOptions;
  /** Absent where the run takes files that Lockstep reads itself. */
  readonly samples: SampleSource | undefined;
}

/** For a module that is not on this machine. */
export interface ModuleNeeds {
  readonly shipping?: Shipping | undefined;
  readonly fetchBlob: (sha256: string) => AsyncIterable<Uint8Array>;
  readonly log: { warn(text: string): void };
}

/** Of a worker that runs what its coordinator sends. */
export interface Shipping {
  /** Whether the coordinator is known to be the right one: by its certificate, or since it is on this machine. */
  readonly isTrusted: () => boolean;
  readonly modules: Pick<ReceivedModules, 'receive'>;
}

/**
 * @param here - where the module lies on this machine, if not where it lay when the run was begun
 * @throws LockstepError `RUN_MODULE_MISSING`, `MODULE_NOT_ACCEPTED`, `RUN_MODULE_DIFFERS`, `RUN_DATA_DIFFERS`; as
 *   `ReceivedModules` and `DataThread.open` do
 */
export async function openOwnModule(
  spec: RunSpec,
  module: RunModuleSpec,
  here: string | undefined,
  needs: ModuleNeeds,
): Promise<OwnModule> {
  const path = here ?? (await received(module, needs)) ?? module.path;
  const is = await moduleDigest(path);
  if (is !== module.sha256) throw fault('RUN_MODULE_DIFFERS', { path, host: hostname(), was: module.sha256, is });
  const { sets } = module;
  const ownLoss = ownLossOf({ ...module, path });
  return { ownLoss, samples: sets && (await openSamples(path, sets, spec)) };
}

/** @returns where the module lies that the coordinator has sent; undefined where there is one here, or none is offered */
async function received({ path, shipped }: RunModuleSpec, needs: ModuleNeeds): Promise<string | undefined> {
  if (!shipped || existsSync(path)) return undefined;
  const { shipping } = needs;
  const host = hostname();
  const no = (why: string): Error => fault('MODULE_NOT_ACCEPTED', { path, host, why });
  if (!shipping) throw no('this worker was started without --accept-shipped');
  if (!shipping.isTrusted())
    throw no('the connection to the coordinator has no TLS, so that anybody could have sent it');
  const file = await shipping.modules.receive(shipped, needs.fetchBlob(shipped.sha256));
  needs.log.warn(`--accept-shipped: running ${basename(path)} as the coordinator has sent it, ${file}`);
  return file;
}

async function openSamples(path: string, sets: OwnSetsSpec, spec: RunSpec): Promise<SampleSource> {
  const thread = await DataThread.open({ path, readTimeoutMs: sets.readTimeoutMs }, systemClock);
  for (const role of ['train', 'test'] as const) {
    const [was, is] = [sets[role], { ...thread.sets[role], probe: thread.probes[role] }];
    const what = (['set', 'length', 'x', 'y', 'probe'] as const).find((key) => inWords(was[key]) !== inWords(is[key]));
    if (what === undefined) continue;
    await thread.stop();
    const facts = { path, host: hostname(), set: was.set, was: inWords(was[what]), is: inWords(is[what]) };
    throw fault('RUN_DATA_DIFFERS', { ...facts, what: what === 'probe' ? 'digest of a few samples' : what });
  }
  return sampleSourceOf(thread, path, sets, spec);
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 12) : JSON.stringify(value);
}
