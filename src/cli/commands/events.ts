import type { CommandContext } from '../context.js';
import { readEvents } from '../run-source.js';
import { onSignals } from '../signals.js';

export interface EventsOptions {
  readonly since: string;
  readonly follow?: boolean;
}

/** `lockstep events`: what happened in a run, one JSON object a line; goes on with what happens if it is followed. */
export async function run(where: string, options: EventsOptions, { stdout }: CommandContext): Promise<void> {
  const abort = new AbortController();
  const release = onSignals(
    () => abort.abort(),
    () => process.exit(130),
  );
  try {
    for await (const event of readEvents(where, options.since, options.follow === true, abort.signal))
      stdout.write(`${JSON.stringify(event)}\n`);
  } finally {
    release();
  }
}
