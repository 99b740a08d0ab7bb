/** Which of our backends TensorFlow.js's suite can be run on. It is loaded in the bundle alone: bundle.ts. */
import { extendWasmBackend, kernelCallsBySource } from '../../src/engine/op-by-op/wasm-backend.js';

import '../../src/engine/tensorflow.js';

interface Conforming {
  /** TensorFlow.js's name of the backend behind the engine. */
  readonly backend: string;
  /** Whether values can be read without waiting. */
  readonly isDataSync: boolean;
  /** Registers the backend; TensorFlow.js starts it. */
  readonly load: () => void;
  /** What the backend can say of its own about who computed. */
  readonly sources?: () => Readonly<Record<string, number>>;
}

export const conformingEngines: Readonly<Record<string, Conforming>> = {
  cpu: { backend: 'cpu', isDataSync: true, load: () => undefined },
  wasm: { backend: 'wasm', isDataSync: true, load: extendWasmBackend, sources: () => kernelCallsBySource },
};
