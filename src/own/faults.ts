/** What can be wrong with the module of a run. */
import { faultsFrom, type FaultTable } from '../core/errors.js';

export const ownFaults = {
  RUN_CANNOT_TRAVEL: {
    exitCode: 2,
    meaning: 'A program gave train() something that cannot be sent to the processes of workers.',
    message: (f: { what: string; actual: string }) =>
      `${f.what} of the run is ${f.actual}, which cannot travel to workers`,
    remedy:
      "put the run into a module and give its URL, train(new URL('./my-run.mjs', import.meta.url)), or give data.arrays({ x, y }) and the name of a loss",
  },
  RUN_MODULE_MISSING: {
    exitCode: 2,
    meaning: 'The module of a run is not where it is looked for.',
    message: (f: { path: string; reason: string }) => `cannot read the run module ${f.path}: ${f.reason}`,
    remedy:
      'put the module there, or say where it lies on this machine: --module FILE of `lockstep worker` and `evaluate`',
  },
  MODULE_NOT_SHIPPED: {
    exitCode: 2,
    meaning: 'The module of a run cannot be sent to workers as --ship would have it.',
    message: (f: { path: string; reason: string }) => `--ship: ${f.path} cannot be sent to workers: ${f.reason}`,
    remedy:
      'keep what it imports in the folder of the module or below, or bring it to every machine and leave out --ship',
  },
  MODULE_NOT_ACCEPTED: {
    exitCode: 2,
    meaning: 'A worker does not have the module of its run, and was not told to run what the coordinator sends.',
    message: (f: { path: string; host: string; why: string }) =>
      `the run module ${f.path} is not on ${f.host}, and the one that the coordinator offers is not taken: ${f.why}`,
    remedy:
      'put the module there, say where it lies (--module FILE), or let this worker, or its agent, run the code of its coordinator: --accept-shipped, with TLS or on loopback',
  },
  SHIPMENT_DAMAGED: {
    exitCode: 1,
    meaning: 'The module that a coordinator has sent is not the one that it announced.',
    message: (f: { reason: string }) => `the run module that the coordinator has sent is not taken: ${f.reason}`,
    remedy:
      'start the worker again; if it happens again, bring the module to this machine and leave out --accept-shipped',
  },
  RUN_MODULE_BROKEN: {
    exitCode: 2,
    meaning: 'The module of a run cannot be loaded.',
    message: (f: { path: string; reason: string }) => `cannot load the run module ${f.path}: ${f.reason}`,
    remedy: 'mend the module; node FILE shows the same error with its place',
  },
  RUN_MODULE_MALFORMED: {
    exitCode: 2,
    meaning: 'The module of a run does not define one.',
    message: (f: { path: string; reason: string }) => `${f.path} defines no run: ${f.reason}`,
    remedy: "export default defineRun({ model, data, loss }), with defineRun from 'lockstep'",
  },
  RUN_MODULE_DIFFERS: {
    exitCode: 2,
    meaning: 'A worker has another version of the module than the run was begun with.',
    message: (f: { path: string; host: string; was: string; is: string }) =>
      `${f.path} on ${f.host} is not the module that the run was begun with: SHA-256 ${f.is.slice(0, 12)}, expected ${f.was.slice(0, 12)}`,
    remedy: 'bring the same file, and what it imports from beside it, to every machine',
  },
  RUN_DATA_DIFFERS: {
    exitCode: 2,
    meaning: 'A data set of a run gives other samples here than where the run was begun.',
    message: (f: { path: string; host: string; set: string; what: string; was: string; is: string }) =>
      `${f.path}: data.${f.set} on ${f.host} is not that of the run: its ${f.what} is ${f.is}, expected ${f.was}`,
    remedy: 'bring the same data to every machine, and key all chance by seed, epoch and index, as augment does it',
  },
  RUN_MODULE_SILENT: {
    exitCode: 1,
    meaning: 'The module of a run, or its data, did not load in time.',
    message: (f: { path: string; seconds: number }) => `${f.path} has not finished loading after ${f.seconds} s`,
    remedy: 'find out what its top level, or its function data, waits for',
  },
  DATA_THREAD_ENDED: {
    exitCode: 1,
    meaning: 'The thread that reads the samples of a run ended by itself.',
    message: (f: { path: string; reason: string }) => `${f.path}: the thread that reads its data ended: ${f.reason}`,
    remedy: 'let the module not end the process; if memory ran out, read from files and not from arrays',
  },
  LOSS_MALFORMED: {
    exitCode: 2,
    meaning: 'A loss, or a metric, that is a function does not return one value for each sample.',
    message: (f: { path: string; name: string; expected: string; actual: string }) =>
      `${f.path}: ${f.name} returned ${f.actual}, not ${f.expected}`,
    remedy:
      'return a tensor with one value a sample, for example tf.mean(values, -1), and leave sums over samples to lockstep',
  },
  METRIC_NOT_FINITE: {
    exitCode: 2,
    meaning: 'A metric is no finite number for a sample, although all outputs of the model are.',
    message: (f: { path: string; name: string; value: number }) =>
      `${f.path}: ${f.name} returned ${f.value} for a sample of an evaluation, though the outputs are finite`,
    remedy: 'return a finite number for every sample, for example by adding 1e-6 to what is divided by',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(ownFaults);
