/** Where the events of a run are in NATS, by its name there. docs/events.md says it to others. */

/** The JetStream stream. */
export const streamOf = (run: string): string => `LOCKSTEP_EVENTS_${run}`;

export const eventSubject = (run: string, type: string): string => `lockstep.${run}.events.${type}`;

/** All of them. */
export const eventSubjects = (run: string): string => eventSubject(run, '>');

/** Where a coordinator says that it tells the events from now on. */
export const termSubject = (run: string): string => `lockstep.${run}.term.events`;
