import { faultsFrom, type FaultTable } from '../core/errors.js';

export const coordinatorFaults = {
  WORKERS_MISSING: {
    exitCode: 3,
    meaning: 'For --join-timeout there were not enough workers to begin.',
    message: (f: { joined: number; needed: number; seconds: number }) =>
      `only ${f.joined} of ${f.needed} workers were there for ${f.seconds} s`,
    remedy: 'start the missing workers with `lockstep worker --coordinator HOST:PORT`, or raise --join-timeout',
  },
  WORKER_FAILED: {
    exitCode: 1,
    meaning: 'A worker gave up before the first step, and nobody will start another one.',
    message: (f: { worker: string; reason: string }) => `worker ${f.worker} failed to start: ${f.reason}`,
    remedy: "remove the cause; the worker's log in the run's logs/ folder says more",
  },
  VERSION_MISMATCH: {
    exitCode: 1,
    meaning: 'A worker runs another version, whose messages or whose numbers are not ours.',
    message: (f: { what: string; worker: number; coordinator: number }) =>
      `the worker has ${f.what} version ${f.worker}, the coordinator has ${f.coordinator}`,
    remedy: 'install the same version of lockstep on all machines',
  },
  RUN_FULL: {
    exitCode: 1,
    meaning: 'A worker came to a run that has as many workers as it may have.',
    message: (f: { runId: string; limit: number }) => `run ${f.runId} has ${f.limit} workers, and may have no more`,
    remedy: 'start the coordinator with a larger --max-workers if this one should take part',
  },
  START_DIFFERS: {
    exitCode: 1,
    meaning: 'A worker built another model or other initial weights from the same spec.',
    message: (f: { worker: string; what: string; expected: string; actual: string }) =>
      `worker ${f.worker} starts with ${f.what} ${f.actual}, the others with ${f.expected}`,
    remedy: 'install the same version of lockstep on all machines',
  },
  STATE_DAMAGED: {
    exitCode: 1,
    meaning: 'The final weights that a worker sent are not those that it had announced.',
    message: (f: { worker: string; expected: string; actual: string }) =>
      `the weights from ${f.worker} have the digest ${f.actual.slice(0, 12)}, not ${f.expected.slice(0, 12)}`,
    remedy: 'start the run again; if it happens again, check memory and network of that machine',
  },
  MICRO_BATCH_MISMATCH: {
    exitCode: 2,
    meaning: 'The batch of a step is not a multiple of the micro-batch.',
    message: (f: { globalBatchSize: number; microBatchSize: number }) =>
      `a batch of ${f.globalBatchSize} is not a multiple of --micro-batch ${f.microBatchSize}`,
    remedy: 'choose a --micro-batch that divides the batch, or leave it out',
  },
  VALIDATION_TOO_LARGE: {
    exitCode: 2,
    meaning: 'What `--validation` holds out leaves nothing to train on.',
    message: (f: { validationLength: number; trainLength: number }) =>
      `--validation ${f.validationLength} takes all of the ${f.trainLength} samples of the training set`,
    remedy: 'hold out fewer; 10000 are usual for MNIST',
  },
  NO_ACCURACY: {
    exitCode: 2,
    meaning: 'A run is to end at an accuracy that it does not have, since its loss knows no correct answer.',
    message: (f: { targetAccuracy: number; model: string; loss: string }) =>
      `--target-accuracy ${f.targetAccuracy}: model ${f.model} has no accuracy, since with the loss ${f.loss} its answers are compared with values and not with classes`,
    remedy:
      'leave out --target-accuracy, then the best weights are those with the lowest test loss; `sweep` and `plan` are for runs with an accuracy',
  },
  BATCH_TOO_LARGE: {
    exitCode: 2,
    meaning: 'The batch of a step has more samples than the training set.',
    message: (f: { globalBatchSize: number; trainLength: number; where: string }) =>
      `a batch of ${f.globalBatchSize} is more than the ${f.trainLength} samples of ${f.where}`,
    remedy: 'choose a smaller batch, or --global-batch full for all samples in each step',
  },
  REPLAY_INCOMPLETE: {
    exitCode: 2,
    meaning: 'The records of a run do not say how large its batches were.',
    message: (f: { path: string; reason: string }) => `the batch sizes cannot be repeated from ${f.path}: ${f.reason}`,
    remedy: 'give the folder of a run whose metrics.jsonl has a line for each step',
  },
  RESUME_CHANGED: {
    exitCode: 2,
    meaning: 'Something that decides about the result is not what it was when the resumed run was started.',
    message: (f: { what: string; was: string; is: string }) =>
      `the run cannot be resumed: its ${f.what} was ${f.was} and is now ${f.is}`,
    remedy: 'restore what it was; to go on with something else, start a new run from the weights with --init',
  },
  RESUME_SHORTER: {
    exitCode: 2,
    meaning: 'A resumed run was given an end before the one that it had.',
    message: (f: { lastStep: number; least: number }) =>
      `the run cannot be resumed to end after step ${f.lastStep}: it is meant to have ${f.least}`,
    remedy: 'give --steps or --epochs a later end, or leave them out',
  },
  RESTORE_CHANGED: {
    exitCode: 2,
    meaning: 'The data of a run that a new coordinator takes over is not what it was when the run began.',
    message: (f: { what: string; was: string; is: string }) =>
      `nobody can join the run that was taken over: the ${f.what} was ${f.was.slice(0, 12)} and is now ${f.is.slice(0, 12)}`,
    remedy: 'restore what it was',
  },
  DATASET_DOES_NOT_FIT: {
    exitCode: 2,
    meaning: 'The images of the data set have another shape than the model takes.',
    message: (f: { dataset: string; shape: readonly number[]; model: string; expected: readonly number[] }) =>
      `images of ${f.dataset} are ${f.shape.join(' x ')}, model ${f.model} takes ${f.expected.join(' x ')}`,
    remedy: 'choose another --model or --dataset',
  },
  VALIDATION_OF_MODULE: {
    exitCode: 2,
    meaning: '`--validation` divides a data set that a module has divided already.',
    message: (f: { validationLength: number; path: string }) =>
      `--validation ${f.validationLength} cannot divide the data sets of ${f.path}`,
    remedy: 'let the module give data.validation, and leave --validation out',
  },
  SETS_DIFFER: {
    exitCode: 2,
    meaning: 'Samples to train with and samples to test with do not look alike.',
    message: (f: { path: string; what: string; set: string; actual: string; expected: string }) =>
      `${f.path}: ${f.what} of data.${f.set} is ${f.actual}, that of data.train ${f.expected}`,
    remedy: 'give both sets the same shape and dtype',
  },
  SAMPLES_DO_NOT_FIT: {
    exitCode: 2,
    meaning: "The samples of a run's own data set are not what its model, or its loss, takes.",
    message: (f: { path: string; set: string; what: string; actual: string; model: string; expected: string }) =>
      `${f.path}: ${f.what} of data.${f.set} is ${f.actual}, model ${f.model} takes ${f.expected}`,
    remedy: 'change the data set with map, or the first or last layer of the model',
  },
  LABELS_DO_NOT_FIT: {
    exitCode: 2,
    meaning: 'The data set has a class that no output of the model stands for.',
    message: (f: { dataset: string; label: number; model: string; outputs: number; classes: number }) =>
      `${f.dataset} has samples of class ${f.label}, model ${f.model} has outputs for ${f.classes === 1 ? 'one class' : `classes 0 to ${f.classes - 1}`}`,
    remedy: 'give the last layer as many outputs as there are classes, or choose another --loss or --dataset',
  },
  DROPPED: {
    exitCode: 3,
    meaning: 'The run went on without a worker that had not been heard of for too long.',
    message: (f: { workerId: string; reason: string }) => `the run goes on without worker ${f.workerId} (${f.reason})`,
    remedy: 'nothing: the worker joins again by itself, as a new member',
  },
  LAST_WORKER_LOST: {
    exitCode: 3,
    meaning: 'The last worker that held the training state was lost.',
    message: (f: { workerId: string; reason: string; step: number }) =>
      `worker ${f.workerId} was lost after step ${f.step} (${f.reason}), and no other worker holds the training state`,
    remedy:
      "see the worker's log in the run's logs/ folder for why it ended; `lockstep train --resume DIR` goes on from the newest checkpoint",
  },
  RUN_ENDED: {
    exitCode: 3,
    meaning: 'The coordinator ended the run, so a worker has nothing more to do.',
    message: (f: { reason: string }) => `the coordinator ended the run: ${f.reason}`,
    remedy: "see the coordinator's own message",
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(coordinatorFaults);
