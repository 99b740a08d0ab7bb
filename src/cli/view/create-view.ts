import { JsonLinesView } from './json-lines.js';
import { ProgressView } from './progress.js';
import type { Output, RunView } from './run-view.js';

/** Colour only on a terminal, and never against NO_COLOR (no-color.org: any value but the empty one). */
export function wantsColour(output: Output, environment: Readonly<Record<string, string | undefined>>): boolean {
  return output.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}

/** The view that `--json` and the kind of output ask for. */
export function createView(
  output: Output,
  json: boolean,
  environment: Readonly<Record<string, string | undefined>>,
  nowMs: () => number,
): RunView {
  return json
    ? new JsonLinesView(output)
    : new ProgressView(output, { nowMs, colour: wantsColour(output, environment) });
}
