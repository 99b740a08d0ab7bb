import { fileURLToPath } from 'node:url';

import { fault } from '../faults.js';

/** A file, as users name it: a path, or `new URL('./data.csv', import.meta.url)`, which means the same from any folder. */
export type FilePath = string | URL;

export function pathOf(file: FilePath): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file;
}

/** @param kind - of what was to be opened @returns LockstepError `READER_INPUT` */
export function unopened(path: string, error: unknown, kind: 'file' | 'folder' = 'file'): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  return fault('READER_INPUT', { path, reason: code === 'ENOENT' ? `no such ${kind}` : message }, error);
}
