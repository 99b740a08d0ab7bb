/** The events of a run as others may read them: `/api/events`, `lockstep events`, events.jsonl, NATS. docs/events.md is written from here. */

/** Raised when a field changes its meaning or goes away; types and fields may be added under the same number. */
export const eventSchema = 1;

/** What NATS keeps of them, and what waits for it. */
export const streamLimits = {
  /** Each type has its own room, so that summaries of steps push out nothing else. */
  keptPerTypeMax: 50_000,
  keptMax: 200_000,
  keptDays: 30,
  /** Events that wait while the server is out of reach: about two hours of summaries. Beyond it the oldest are given up. */
  waitingMax: 4096,
} as const;

export type PublicEvent = {
  readonly schema: typeof eventSchema;
  /** From 1, without gaps, in the life of a run. */
  readonly sequence: number;
  /** ISO 8601, by the coordinator's clock. */
  readonly time: string;
  readonly run: string;
} & EventBody;

export type EventBody =
  | {
      readonly type: 'started';
      readonly model: string;
      readonly engine: string;
      readonly worldSize: number;
      readonly globalBatchSize: number;
      readonly stepsTotal: number;
    }
  | { readonly type: 'resumed'; readonly step: number }
  | { readonly type: 'restored'; readonly step: number; readonly term: number }
  | { readonly type: 'waiting'; readonly joined: number; readonly needed: number }
  | { readonly type: 'joined'; readonly worker: string; readonly host: string }
  | { readonly type: 'left'; readonly worker: string; readonly cause: string; readonly reason: string }
  | {
      readonly type: 'generation';
      readonly generation: number;
      readonly step: number;
      readonly members: readonly string[];
    }
  | {
      readonly type: 'steps';
      readonly firstStep: number;
      readonly lastStep: number;
      readonly epoch: number;
      readonly loss: number | null;
      readonly accuracy: number | null;
      readonly learningRate: number;
      readonly globalBatchSize: number;
      readonly worldSize: number;
      readonly imagesPerSecond: number;
    }
  | {
      readonly type: 'evaluation';
      readonly step: number;
      readonly epoch: number;
      readonly testLoss: number;
      readonly testAccuracy: number | null;
      readonly best: boolean;
      readonly metrics?: Readonly<Record<string, number>>;
    }
  | { readonly type: 'checkpoint'; readonly step: number; readonly seconds: number }
  | {
      readonly type: 'alert';
      readonly name: 'step-skipped' | 'checkpoint-failed' | 'worker-lost';
      readonly step: number;
      readonly text: string;
    }
  | { readonly type: 'stopping'; readonly reason: string }
  | {
      readonly type: 'finished';
      readonly outcome: string;
      readonly steps: number;
      readonly testAccuracy: number | null;
      readonly weightsDigest: string;
    }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly remedy: string };

/** What each type says; the compiler asks for the next one. */
export const eventMeanings: Readonly<Record<EventBody['type'], string>> = {
  started: 'The first step is about to run: `model`, `engine`, `worldSize`, `globalBatchSize`, `stepsTotal`.',
  restored: 'This coordinator took over from one that was gone, after `step`; `term` counts coordinators.',
  resumed: 'The run goes on from the checkpoint of `step`.',
  waiting: 'The run waits: `joined` of the `needed` workers are there.',
  joined: 'A worker, by its stable name, was let in from `host`; it takes part from the next generation on.',
  left: 'A worker is gone: `cause` is connection, silence, failure, state or leave, `reason` says it in words.',
  generation: 'A generation begins after `step` with `members` by rank, by their stable names.',
  steps:
    'A summary of the steps `firstStep` to `lastStep`, about every two seconds: means of `loss` and `accuracy` (null where no step was finite; a run whose answers are not correct or wrong has no `accuracy`, null), and `imagesPerSecond` over the newest 50 of the run, `epoch`, `learningRate`, `globalBatchSize`, `worldSize` at the last one.',
  evaluation:
    'The test set was evaluated after `step`: `testLoss`, `testAccuracy` (null in a run without accuracy), `metrics` by name (absent in a run without any), and whether it is the `best` so far.',
  checkpoint: 'The state after `step` is on the disk, `seconds` after it was asked for.',
  alert: 'Somebody should know: `name` is step-skipped, checkpoint-failed or worker-lost; `text` says what happened.',
  stopping: 'The run was asked to end at the next step boundary.',
  finished: 'Everything is stored: `outcome`, `steps`, `testAccuracy`, `weightsDigest`.',
  failed: 'The run ended without a result: `code`, `message` and `remedy` as in `lockstep help errors`.',
};
