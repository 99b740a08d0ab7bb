/** Faults that every program which listens on a port or writes a file can meet. */

import { faultsFrom, type FaultKind, type FaultTable } from './errors.js';

interface ListenFacts {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}

interface WriteFacts {
  readonly path: string;
  readonly reason: string;
}

export const coreFaults = {
  PORT_IN_USE: {
    exitCode: 1,
    meaning: 'Another program already listens on the port.',
    message: ({ host, port, flag }) => `port ${port} on ${host} is already in use (${flag} ${port})`,
    remedy: 'stop the other program, or choose another port with that flag (0 takes any free one)',
  } satisfies FaultKind<ListenFacts>,
  PORT_NOT_PERMITTED: {
    exitCode: 1,
    meaning: 'The system does not let this user listen on the port.',
    message: ({ host, port, flag }) => `no permission to listen on port ${port} of ${host} (${flag} ${port})`,
    remedy: 'choose a port of 1024 or more with that flag (0 takes any free one)',
  } satisfies FaultKind<ListenFacts>,
  ADDRESS_NOT_HERE: {
    exitCode: 1,
    meaning: 'The address to listen on does not belong to this machine.',
    message: ({ host, port }) => `cannot listen on ${host}:${port}: this machine has no such address`,
    remedy: 'give --listen an address of this machine: 127.0.0.1 for this machine alone, 0.0.0.0 for all its networks',
  } satisfies FaultKind<ListenFacts>,
  NOT_WRITABLE: {
    exitCode: 1,
    meaning: 'A file or folder cannot be written.',
    message: ({ path, reason }) => `cannot write ${path}: ${reason}`,
    remedy: 'choose another folder, or get permission to write there',
  } satisfies FaultKind<WriteFacts>,
  DISK_FULL: {
    exitCode: 1,
    meaning: 'The disk, or what this user may take of it, is full.',
    message: ({ path, reason }) => `no room to write ${path}: ${reason}`,
    remedy: 'free some room, or choose a folder on another disk',
  } satisfies FaultKind<WriteFacts>,
} as const satisfies FaultTable;

export const fault = faultsFrom(coreFaults);
