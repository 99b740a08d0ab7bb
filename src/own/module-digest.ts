import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';

import { fault } from './faults.js';

/** `from './x.js'`, `import './x.js'`, `import('./x.js')`: what lies beside a module and belongs to it. */
const specifiers = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/**
 * SHA-256 of a module and of all modules beside it that it imports by a relative path, whatever folder they lie in.
 *
 * @throws LockstepError `RUN_MODULE_MISSING`
 */
export async function moduleDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, content] of await moduleFiles(path))
    hash.update(`${name === basename(path) ? 'run' : name}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

/**
 * The same files, by their paths relative to the module's folder, with slashes, in a fixed order.
 *
 * @throws LockstepError `RUN_MODULE_MISSING`
 */
export async function moduleFiles(path: string): Promise<readonly (readonly [name: string, content: Buffer])[]> {
  const contents = new Map<string, Buffer>();
  const visit = async (file: string): Promise<void> => {
    if (contents.has(file)) return;
    const content = await readFile(file).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw fault('RUN_MODULE_MISSING', { path: file, reason: code === 'ENOENT' ? 'no such file' : message }, error);
    });
    contents.set(file, content);
    if (!/\.[cm]?[jt]s$/.test(file)) return;
    for (const [, specifier] of content.toString('utf8').matchAll(specifiers))
      await visit(resolve(dirname(file), specifier!));
  };
  await visit(resolve(path));
  const nameOf = (file: string): string => relative(dirname(resolve(path)), file).replaceAll('\\', '/');
  const named = [...contents].map(([file, content]) => [nameOf(file), content] as const);
  return named.sort(([a], [b]) => (a < b ? -1 : 1));
}
