/** A run as a program reads it: one JSON object a line, the last one a result or an error. */

import type { RunEvent } from '../../core/events.js';
import type { Output, RunView } from './run-view.js';

/** Raised when a field changes its meaning or goes away; new fields and types of lines may appear under the same number. */
const schemaVersion = 1;

/** Numbers that are not finite, which JSON does not have, become null. */
export function jsonLine(event: RunEvent): string {
  return `${JSON.stringify({ schema: schemaVersion, ...event })}\n`;
}

export class JsonLinesView implements RunView {
  constructor(private readonly output: Output) {}

  show(event: RunEvent): void {
    this.output.write(jsonLine(event));
  }

  close(): void {}
}
