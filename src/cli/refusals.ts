import { refusalInWords, type OnRefused } from '../security/identity.js';

interface RefusalNeeds {
  readonly metrics: { readonly refused: { inc(labels: { readonly reason: Parameters<OnRefused>[0] }): void } };
  readonly log: { readonly warn: (text: string) => void };
}

/** Connections that are not let in are counted, and the log says why: a worker's as a coordinator's. */
export function countRefusals({ metrics, log }: RefusalNeeds): OnRefused {
  return (reason, from) => {
    metrics.refused.inc({ reason });
    log.warn(`refused ${from}: ${refusalInWords[reason]} (${reason})`);
  };
}
