import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

import { fault } from './faults.js';

/** `from './x.js'`, `import './x.js'`, `import('./x.js')`: what lies beside a module and belongs to it. */
const specifiers = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/**
 * SHA-256 of a module and of all modules beside it that it imports by a relative path, whatever folder they lie in.
 *
 * @throws LockstepError `RUN_MODULE_MISSING`
 */
export async function moduleDigest(path: string): Promise<string> {
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
  const hash = createHash('sha256');
  const nameOf = (file: string): string => relative(dirname(resolve(path)), file).replaceAll('\\', '/');
  for (const [file, content] of [...contents].sort(([a], [b]) => (nameOf(a) < nameOf(b) ? -1 : 1)))
    hash.update(`${file === resolve(path) ? 'run' : nameOf(file)}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}
