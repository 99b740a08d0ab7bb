/** What the engine thread and the thread that started it say to each other. Vectors stay in the arena: places travel. */
import type { ParameterLayout } from '../core/layout.js';
import type { SentError } from '../core/sent-error.js';
import type { EngineName } from './engine.js';
import type { Computed, ComputeJob, EngineSetup } from './job.js';

/** A float32 vector in the arena. */
export interface Place {
  readonly address: number;
  readonly length: number;
}

export type ThreadData = Omit<EngineSetup, 'arena'> & { readonly memory: WebAssembly.Memory };

export type ThreadJob = Omit<ComputeJob, 'weights'> & { readonly weights: Place };

/** In place of a job: the thread gives up its device and the job in hand, and ends by itself. */
export const endThread = 'end';

export interface SentNode {
  readonly first: number;
  readonly end: number;
  readonly values: Place;
}

export type ThreadAnswer =
  /** Before the last one of a job: what others may have while it goes on. */
  | { readonly node: SentNode }
  | { readonly name: EngineName; readonly deterministic: boolean; readonly layout: ParameterLayout }
  | (Omit<Computed, 'nodes'> & { readonly nodes: readonly SentNode[] })
  | { readonly error: SentError };
