import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { numericsVersion } from '../core/versions.js';
import { encodeCheckpoint } from '../store/checkpoint-file.js';
import { sharedCheckpointPath } from '../store/checkpoints.js';
import { writeSafetensors } from '../store/safetensors.js';
import type { StateRequest, StateSnapshot } from '../transport/grpc/exchange-server.js';
import type { StateSink } from '../transport/grpc/state-stream.js';
import { fault } from './faults.js';
import type { PreparedRun } from './prepared-run.js';
import type { Progression, TrainingState } from './training-state.js';

/** The state that somebody asks for, or why it is not here. Vectors are views: nothing is copied. */
export function readState(run: PreparedRun, request: StateRequest): StateSnapshot | string {
  const { state, best, checkpoint } = run;
  if (request.what === 'best') {
    if (!best) return 'there was no evaluation here yet';
    return { description: JSON.stringify({ step: best.step }), vectors: [{ name: 'weights', values: best.weights }] };
  }
  if (request.what === 'checkpoint') return checkpoint?.state ?? 'no checkpoint was taken here yet';
  if (state.progression.step !== request.step)
    return `the state here is of step ${state.progression.step}, not ${request.step}`;
  return stateOf(run);
}

/** The same for whoever asks from outside; a checkpoint that is to be written is on the disk when the answer comes. */
export async function answerState(run: PreparedRun, request: StateRequest): Promise<StateSnapshot | string> {
  const { checkpoint, spec } = run;
  if (request.what !== 'checkpoint' || !request.write) return readState(run, request);
  if (!checkpoint) return 'no checkpoint was taken here yet';
  if (spec.checkpointDir === undefined) return 'this run has no folder for checkpoints that workers write';
  const { step, state } = checkpoint;
  const { runId } = spec;
  const facts = { runId, step, seconds: request.write.seconds, runSpec: JSON.stringify(spec), numericsVersion };
  const path = sharedCheckpointPath(spec.checkpointDir, runId, step);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeSafetensors(path, encodeCheckpoint(run.engine.layout, state, facts));
  } catch (error) {
    return (error as Error).message; //                               the coordinator tells of it, and training goes on
  }
  return { description: state.description, vectors: [] };
}

/** Keeps a copy of the state as it is now, for whoever stores it while training goes on. It replaces the one before. */
export function takeCheckpoint(run: PreparedRun): void {
  const { description, vectors } = stateOf(run);
  const copies = vectors.map(({ name, values }) => ({ name, values: new Float32Array(values) }));
  run.checkpoint = { step: run.state.progression.step, state: { description, vectors: copies } };
}

function stateOf({ state }: PreparedRun): StateSnapshot {
  const slots = state.optimizer.slots.map((name, i) => ({ name, values: state.now.slots[i]! }));
  return {
    description: JSON.stringify(state.progression),
    vectors: [{ name: 'weights', values: state.now.weights }, ...slots],
  };
}

/** A state on its way into the spare copy, which nobody reads before it is whole. */
export class IncomingState implements StateSink {
  private readonly targets: ReadonlyMap<string, Float32Array>;
  /** Bytes of each vector. */
  private readonly received = new Map<string, number>();

  constructor(private readonly state: TrainingState) {
    const { optimizer, spare } = state;
    const slots = optimizer.slots.map((name, i) => [name, spare.slots[i]!] as const);
    this.targets = new Map([['weights', spare.weights], ...slots]);
  }

  /** What has no place here, or comes behind a gap, shows when all is there. */
  part(vector: string, offset: number, data: Uint8Array): void {
    const target = this.targets.get(vector);
    const received = this.received.get(vector) ?? 0;
    if (offset !== received) return;
    this.received.set(vector, received + data.byteLength);
    if (!target || received + data.byteLength > target.byteLength) return;
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(data, received);
  }

  /** Makes it this worker's own. @throws LockstepError `STATE_MISMATCH`, with nothing changed */
  adopt(description: string): void {
    for (const [vector, { length, byteLength }] of this.targets) {
      const received = this.received.get(vector) ?? 0;
      if (received !== byteLength) throw fault('STATE_MISMATCH', { vector, expected: length, actual: received / 4 });
    }
    this.state.progression = JSON.parse(description) as Progression;
    this.state.swap();
  }
}

/** Makes a state that is here this worker's own. @throws LockstepError `STATE_MISMATCH`, with nothing changed */
export function adoptState(state: TrainingState, { description, vectors }: StateSnapshot): void {
  const incoming = new IncomingState(state);
  for (const { name, values } of vectors)
    incoming.part(name, 0, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  incoming.adopt(description);
}
