import type { Begin, JournalRecord } from '../cluster/messages.js';
import type { RunSpec } from '../core/run-spec.js';

/** The beginning of a run, or of its continuation from a checkpoint: generations before it count no more, terms do. */
export interface RunEntry {
  readonly kind: 'run';
  readonly spec: RunSpec;
  /** Where the coordinator listened: its workers look for it there. */
  readonly port: number;
  /** The step of the checkpoint that the run goes on from, if it does. */
  readonly resumedStep?: number;
}

/** A line of the journal; `seconds` that the run had taken by then. */
export type JournalEntry = RunEntry | (JournalRecord & { readonly seconds: number });

/** What a journal says to the coordinator that goes on with it (protocol, rule 12). */
export interface JournalContent {
  readonly run: RunEntry | undefined;
  /** The highest one. */
  readonly term: number;
  readonly newestBegin: Begin | undefined;
  readonly isEnded: boolean;
  /** That the run had taken at the last entry. */
  readonly seconds: number;
}

const empty: JournalContent = { run: undefined, term: 0, newestBegin: undefined, isEnded: false, seconds: 0 };

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
      return { ...content, seconds, isEnded: true };
  }
}
