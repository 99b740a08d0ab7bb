import type { ParameterLayout } from '../core/layout.js';
import type { RunFolder } from '../store/run-folder.js';
import { tensorsOf } from '../store/safetensors.js';
import type { RunStore } from './coordinator.js';

/** A run's results in its folder, with the flat vectors as named tensors. */
export function runStoreIn(folder: RunFolder, runId: string, layout: ParameterLayout): RunStore {
  const metadata = (step: number) => ({ format: 'lockstep', formatVersion: '1', runId, step: String(step) });
  return {
    appendJournal: (record) => folder.appendToJournal(record),
    appendMetrics: (record) => folder.appendMetrics(record),
    async saveBest(step, weights) {
      await folder.writeBest({ tensors: tensorsOf(layout, weights), metadata: metadata(step) });
    },
    async saveFinal(step, weights) {
      await folder.writeFinal({ tensors: tensorsOf(layout, weights), metadata: metadata(step) });
    },
    async saveCheckpoint(step, snapshot) {
      const tensors = snapshot.vectors.flatMap(({ name, values }) => tensorsOf(layout, values, prefixOf(name)));
      await folder.writeCheckpoint(step, { tensors, metadata: { ...metadata(step), state: snapshot.description } });
    },
    saveReport: (report) => folder.writeReport(report),
  };
}

/** Weights keep their plain names, so that every reader of safetensors finds them; optimizer slots are beside them. */
function prefixOf(vector: string): string {
  return vector === 'weights' ? '' : `optimizer.${vector}/`;
}
