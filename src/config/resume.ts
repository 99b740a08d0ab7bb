/**
 * `--resume DIR` and `--restore`: the options are those of the run, and hardly any may be changed. `--replay DIR`: all of
 * them may.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fault } from './faults.js';
import type { FieldName } from './schema.js';
import { factsOf, fileLayer, type Given, type Layer } from './sources.js';
import { fromAnywhere } from './write.js';

/**
 * What the spec.json of the resumed run says; undefined when no run is resumed.
 *
 * @param layers - what was given, the strongest last
 * @throws LockstepError `RESUME_NO_RUN`; and as `fileLayer` does
 */
export function resumedLayer(layers: readonly Layer[]): Layer | undefined {
  const resume = layers.reduce<Given | undefined>((found, layer) => {
    const isReplaced = layer.has(factsOf('resume').insteadOf as FieldName);
    return layer.get('resume') ?? (isReplaced ? undefined : found);
  }, undefined);
  return resume ? specLayer(resume) : restoredLayer(layers);
}

/** What the spec.json of the run says whose batch sizes are repeated; undefined when there is none. @throws as above */
export function replayedLayer(layers: readonly Layer[]): Layer | undefined {
  const replay = layers.findLast((layer) => layer.has('replay'))?.get('replay');
  return replay && specLayer(replay);
}

function specLayer(folder: Given): Layer {
  const spec = join(String(folder.value), 'spec.json');
  if (!existsSync(spec)) throw fault('RESUME_NO_RUN', { given: folder.quoted, reason: `there is no ${spec}` });
  return fileLayer(spec, JSON.parse);
}

/** What the spec.json of the run says that `--restore` takes over; undefined where there is none. */
function restoredLayer(layers: readonly Layer[]): Layer | undefined {
  const last = (name: FieldName): Given | undefined =>
    layers.reduce<Given | undefined>((found, layer) => layer.get(name) ?? found, undefined);
  const [out, restore] = [last('out'), last('restore')];
  if (out === undefined || factsOf('restore').schema.safeParse(restore?.value).data !== true) return undefined;
  const spec = join(String(out.value), 'spec.json');
  return existsSync(spec) ? fileLayer(spec, JSON.parse) : undefined;
}

/**
 * Whether nothing was given that would make it another run. A longer end is allowed here: how long the run was is known
 * only where its data is.
 *
 * @param given - all layers, laid over each other
 * @param values - what became of them
 * @throws LockstepError `RESUME_DIFFERS` for the first difference
 */
export function checkUnchanged(
  resumed: Layer,
  given: ReadonlyMap<FieldName, Given>,
  values: Readonly<Partial<Record<FieldName, unknown>>>,
): void {
  for (const [name, mine] of given) {
    const facts = factsOf(name);
    const was = resumed.get(name);
    if (facts.local || facts.mayChange || mine === was) continue;
    const before = was && fromAnywhere(name, facts.schema.safeParse(was.value).data);
    if (isDeepStrictEqual(before, fromAnywhere(name, values[name]))) continue;
    throw fault('RESUME_DIFFERS', { given: mine.quoted, was: was?.quoted ?? `no --${facts.flag}` });
  }
}
