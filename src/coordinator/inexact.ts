import type { RunReport } from '../core/events.js';
import type { RunSpec } from '../core/run-spec.js';

/** Why the result of a spec depends on the number of workers, whatever the engines, if it does: for the report. */
export function inexactBySpec({ codec, localSteps }: RunSpec): Partial<Pick<RunReport, 'bitExact' | 'bitExactReason'>> {
  const reasons = [
    ...(codec
      ? [`codec ${codec.name} rounds what workers send each other, and what they send depends on their number`]
      : []),
    ...(localSteps
      ? [`--sync-every ${localSteps.every} lets each worker train on its own share between exchanges`]
      : []),
  ];
  return reasons.length === 0 ? {} : { bitExact: false, bitExactReason: reasons.join('; ') };
}
