/** docs/events.md. `scripts/docs.mjs` writes it and a test checks that it is current. */

import { eventMeanings, eventSchema } from './public-events.js';

const introduction = `# Events

<!-- Written by scripts/docs.mjs from src/live/public-events.ts: change it there. -->

What happens in a run, as other programs may read it. The same events come three ways:

- \`GET /api/events\` of the coordinator (on \`--metrics-port\`): one JSON object a line. \`?since=SEQUENCE\` leaves out what is
  known, \`?follow=true\` stays and tells what comes. With \`Accept: text/event-stream\` they come as server-sent events whose
  id is the sequence, so that a browser's \`EventSource\` goes on where it was. The newest 4096 are kept.
- \`events.jsonl\` in the run's folder: all of them.

Every event has \`schema\` (${eventSchema}; raised when a field changes its meaning or goes away, not when types or fields are
added: ignore what you do not know), \`sequence\` (from 1, without gaps, in the life of one coordinator), \`time\` (ISO 8601),
\`run\` and \`type\`. Workers go by their stable names.
`;

export function eventsPage(): string {
  const rows = Object.entries(eventMeanings).map(([type, meaning]) => `| \`${type}\` | ${meaning} |`);
  return `${introduction}\n| type | meaning |\n|---|---|\n${rows.join('\n')}\n`;
}
