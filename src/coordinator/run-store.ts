import type { RunReport } from '../core/events.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { numericsVersion } from '../core/versions.js';
import { encodeCheckpoint } from '../store/checkpoint-file.js';
import { sharedCheckpointPath } from '../store/checkpoints.js';
import type { RunFolder } from '../store/run-folder.js';
import { tensorsOf } from '../store/safetensors.js';
import type { JournalEntry } from './journal.js';
import type { RunStore } from './results.js';

export interface RunStoreOptions {
  /** Checkpoints that stay. */
  readonly keep: number;
  /** Where the journal lies if not in the folder alone: what is not there has not happened. */
  readonly journal: { append(entry: JournalEntry): Promise<void> } | undefined;
  /** The step from which the run was resumed: workers that join may ask for its checkpoint. */
  readonly resumedStep: number | undefined;
  /** What can be looked at when the run is over. */
  readonly freeze: (report: RunReport) => { readonly page: string; readonly picture: unknown };
}

/** A run's results in its folder, with the flat vectors as named tensors. */
export function runStoreIn(
  folder: RunFolder,
  spec: RunSpec,
  layout: ParameterLayout,
  { keep, resumedStep, journal, freeze }: RunStoreOptions,
): RunStore {
  const { runId } = spec;
  const facts = { format: 'lockstep', formatVersion: '1', runId, microBatchSize: String(spec.microBatchSize) };
  /** With the model, so that the file can be used by itself. */
  const metadata = (step: number) => ({ ...facts, step: String(step), model: JSON.stringify(spec.model) });
  return {
    async appendJournal(entry) {
      await journal?.append(entry);
      await folder.appendToJournal(entry);
    },
    appendMetrics: (record) => folder.appendMetrics(record),
    async saveBest(step, weights) {
      await folder.writeBest({ tensors: tensorsOf(layout, weights), metadata: metadata(step) });
    },
    async saveFinal(step, weights) {
      await folder.writeFinal({ tensors: tensorsOf(layout, weights), metadata: metadata(step) });
    },
    async saveCheckpoint(step, snapshot, seconds) {
      const facts = { runId, step, seconds, runSpec: JSON.stringify(spec), numericsVersion };
      await folder.writeCheckpoint(step, encodeCheckpoint(layout, snapshot, facts), keep, resumedStep);
    },
    async linkCheckpoint(step) {
      await folder.linkCheckpoint(step, sharedCheckpointPath(spec.checkpointDir!, runId, step), keep, resumedStep);
    },
    async saveReport(report) {
      await folder.writeReport(report);
      const { page, picture } = freeze(report);
      await folder.writePicture(page, picture);
      await folder.keepCheckpoints(keep); //                          nobody joins any more
    },
  };
}
