import { faultsFrom, type FaultTable } from '../core/errors.js';

export const liveFaults = {
  NO_RUN_THERE: {
    exitCode: 1,
    meaning: 'Nobody who knows of a run answers at an address, or a folder holds none.',
    message: (f: { where: string; reason: string }) => `no run at ${f.where}: ${f.reason}`,
    remedy:
      'give the URL that the coordinator says in its first line (http://HOST:9464/), or the folder of a run (runs/...)',
  },
  TRACE_NOT_WRITABLE: {
    exitCode: 1,
    meaning: 'The file of --trace cannot be made.',
    message: (f: { path: string; reason: string }) => `cannot write --trace ${f.path}: ${f.reason}`,
    remedy: 'choose a file in a folder that exists and that you may write to',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(liveFaults);
