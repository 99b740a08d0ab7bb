import type { RunEvent } from '../../core/events.js';

/** Shows a run to whoever started it. */
export interface RunView {
  show(event: RunEvent): void;
  /** Gives the terminal back: no bar, no timer, a visible cursor. Safe to call twice. */
  close(): void;
}

/** The part of a stream that a view needs. */
export type Output = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
