/**
 * What `lockstep train` and the processes that it starts say to each other, over Node's channel between parent and child.
 * The channel's end is the parent's end: a child without it ends, however its parent died.
 */

export type ToChild =
  /** End the run at a step boundary and save it. */
  | { readonly type: 'stop'; readonly reason: string }
  /** A worker's process ended before the run began; no other will be started. */
  | { readonly type: 'worker-ended'; readonly worker: string; readonly reason: string };

export type ToParent =
  /** The coordinator can be reached, and has made the run's folder. */
  { readonly type: 'listening'; readonly address: string; readonly out: string; readonly token?: string };
