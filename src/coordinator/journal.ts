import type { Begin, End, Term } from '../cluster/messages.js';
import type { RunReport } from '../core/events.js';
import type { RunSpec } from '../core/run-spec.js';

/** The beginning of a run, or of its continuation from a checkpoint: generations before it count no more, terms do. */
export interface RunEntry {
  readonly kind: 'run';
  readonly spec: RunSpec;
  /** Where the coordinator listened: its workers look for it there. */
  readonly port: number;
  /** What spec.json says: for a coordinator that takes over with a folder of its own. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The step of the checkpoint that the run goes on from, if it does. */
  readonly resumedStep?: number;
}

/** The End, with what a coordinator that has only the journal says of the run. */
export interface EndEntry extends End {
  readonly report: RunReport | undefined;
}

/** The workers were told of the End, or had their time to hear of it: nobody has to take over any more. */
export interface ToldEntry {
  readonly kind: 'told';
}

/** A line of the journal; `seconds` that the run had taken by then. */
export type JournalEntry = RunEntry | ((Term | Begin | EndEntry | ToldEntry) & { readonly seconds: number });

/** What a journal says to the coordinator that goes on with it (protocol, rule 12). */
export interface JournalContent {
  readonly run: RunEntry | undefined;
  /** The highest one. */
  readonly term: number;
  readonly newestBegin: Begin | undefined;
  readonly isEnded: boolean;
  /** Nobody waits for the End any more. Until it says so, a run that has ended needs a coordinator (protocol, rule 16). */
  readonly isTold: boolean;
  /** Of the run, once it has ended. */
  readonly report: RunReport | undefined;
  /** That the run had taken at the last entry. */
  readonly seconds: number;
}

const empty: JournalContent = {
  run: undefined,
  term: 0,
  newestBegin: undefined,
  isEnded: false,
  isTold: false,
  report: undefined,
  seconds: 0,
};

/** @param entries - as this or an earlier version wrote them, in order */
export async function readJournal(entries: AsyncIterable<unknown>): Promise<JournalContent> {
  let content = empty;
  for await (const entry of entries) content = withEntry(content, entry as JournalEntry);
  return content;
}

function withEntry(content: JournalContent, entry: JournalEntry): JournalContent {
  if (entry.kind === 'run') return { ...empty, run: entry, term: content.term };
  const seconds = entry.seconds ?? content.seconds; //               not there in journals of the first versions
  switch (entry.kind) {
    case 'term':
      return { ...content, seconds, term: Math.max(content.term, entry.term) };
    case 'begin':
      return { ...content, seconds, term: Math.max(content.term, entry.generation.term), newestBegin: entry };
    case 'end':
      // One without a report is of a version that did not say whether it was told: it is left alone.
      return { ...content, seconds, isEnded: true, isTold: entry.report === undefined, report: entry.report };
    case 'told':
      return { ...content, seconds, isTold: true };
  }
}
