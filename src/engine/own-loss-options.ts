import type { OwnSetsSpec } from '../core/run-spec.js';
import type { SampleFormat } from '../data/dataset.js';
import { classNumbers } from './has-accuracy.js';

/** What an engine needs to know of a loss that is a function of a run's module, beside the function. */
export interface OwnLossOptions {
  /** File of the module, on this machine. */
  readonly path: string;
  /** Of a sample's label. */
  readonly labels: SampleFormat;
}

interface OwnLabels {
  readonly path: string;
  readonly sets?: Pick<OwnSetsSpec, 'train'> | undefined;
}

export function ownLossOf({ path, sets }: OwnLabels): OwnLossOptions {
  return { path, labels: sets?.train.y ?? classNumbers };
}
