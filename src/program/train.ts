import type { ProgramRun, TrainingRun, TrainOptions } from './definition.js';
import { EventStreams } from './event-streams.js';

/**
 * Trains, as `lockstep train` does: the coordinator runs in this process, workers are processes of their own. Nothing is
 * printed, no signal is caught, this process is never ended, and several runs may go on at a time. The run begins at
 * once, whether or not anybody iterates; its folder is `out`, by default runs/ and its name.
 *
 * @param run - the URL or path of a module with `defineRun`; or a run whose parts can travel to other processes
 * @returns at once; what is wrong with the run or the options rejects `result`
 */
export function train(run: URL | string | ProgramRun, options: TrainOptions = {}): TrainingRun {
  const streams = new EventStreams();
  // Loaded here: who imports the library for its readers needs neither gRPC nor a coordinator.
  const result = import('./hosted-run.js').then(({ hostRun }) => hostRun(run, options, (event) => streams.push(event)));
  result.then(
    () => streams.close(),
    (error: unknown) => streams.close({ error }), //                  and is no unhandled rejection for those who only iterate
  );
  return { result, [Symbol.asyncIterator]: () => streams.iterate() };
}
