/** docs/events.md. `scripts/docs.mjs` writes it and a test checks that it is current. */

import { eventMeanings, eventSchema, streamLimits } from './public-events.js';

const { keptPerTypeMax, keptDays, waitingMax } = streamLimits;

const introduction = `# Events

<!-- Written by scripts/docs.mjs from src/live/public-events.ts: change it there. -->

What happens in a run, as other programs may read it. The same events come three ways:

- \`GET /api/events\` of the coordinator (on \`--metrics-port\`): one JSON object a line. \`?since=SEQUENCE\` leaves out what is
  known, \`?follow=true\` stays and tells what comes. With \`Accept: text/event-stream\` they come as server-sent events whose
  id is the sequence, so that a browser's \`EventSource\` goes on where it was. The newest 4096 are kept.
- \`events.jsonl\` in the run's folder: all of them.
- NATS, for a run with \`--nats\` and \`--run\`: below.

Every event has \`schema\` (${eventSchema}; raised when a field changes its meaning or goes away, not when types or fields are
added: ignore what you do not know), \`sequence\` (from 1, without gaps, in the life of a run: a coordinator that takes over,
and a run that is resumed, go on with it), \`time\` (ISO 8601), \`run\` (the run's id) and \`type\`. Workers go by their stable
names.

## In NATS

<!-- not run: addresses of other machines; test/services/events.test.ts does the same on one -->

\`\`\`sh
lockstep events --nats nats://10.0.0.1:4222 --run digits --since 0 --follow
\`\`\`

prints what is kept of the run that is called \`digits\` there and goes on with what happens, also when the coordinator is gone
or another one has taken over; \`--since\` takes a sequence or a time. Any other client of NATS reads the same:

| what                            | where                                                                       |
| ------------------------------- | --------------------------------------------------------------------------- |
| events, the object above as JSON | subject \`lockstep.<run>.events.<type>\`; all of them: \`lockstep.<run>.events.>\` |
| what is kept                    | JetStream stream \`LOCKSTEP_EVENTS_<run>\`                                  |
| who tells them                  | header \`Lockstep-Writer\`; subject \`lockstep.<run>.term.events\` says when another coordinator begins |

\`<run>\` is the name from \`--run\`. The stream is bounded: ${keptPerTypeMax.toLocaleString('en')} events of each type, ${keptDays} days. Another run of the same name goes
on in the same stream under an id of its own; \`nats stream rm LOCKSTEP_EVENTS_<run>\` removes it.

Each event goes out with a message id (\`Nats-Msg-Id\`) and with the stream's last sequence, so that none is there twice, none
is missing, and nothing is taken from a coordinator that was replaced without knowing it. Training never waits for it: while
NATS is out of reach, events wait in the coordinator, ${waitingMax.toLocaleString('en')} at most, about two hours of summaries; what is older
then is missing in NATS (a gap in \`sequence\`), though not in \`events.jsonl\`. \`lockstep_events_waiting\` and
\`lockstep_events_given_up_total\` say so.

## Types
`;

export function eventsPage(): string {
  const rows = Object.entries(eventMeanings).map(([type, meaning]) => `| \`${type}\` | ${meaning} |`);
  return `${introduction}\n| type | meaning |\n|---|---|\n${rows.join('\n')}\n`;
}
