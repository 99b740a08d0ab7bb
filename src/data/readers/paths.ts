import { fileURLToPath } from 'node:url';

/** A file, as users name it: a path, or `new URL('./data.csv', import.meta.url)`, which means the same from any folder. */
export type FilePath = string | URL;

export function pathOf(file: FilePath): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file;
}
