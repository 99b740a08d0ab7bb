/** The project's text files, so that rules can be tried on made-up ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Text by path from the project's root, with `/` between folders. */
export type Files = ReadonlyMap<string, string>;

const skippedFolders = /^(node_modules|dist|\.git|\.build-.*|runs|fixtures|generated)$/;
const textFile =
  /(\.(ts|mjs|js|c|h|md|json|ya?ml|proto|sh)|^(run|LICENSE|NOTICE|Dockerfile|\.gitignore|\.prettier.*))$/;

/** Everything that people write here: no build, no dependencies, nothing generated, no fixtures. */
export function projectFiles(root: string): Files {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skippedFolders.test(entry.name)) visit(path);
      if (entry.isFile() && textFile.test(entry.name))
        files.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'));
    }
  };
  visit(root);
  return files;
}

export function only(files: Files, wanted: RegExp): Files {
  return new Map([...files].filter(([path]) => wanted.test(path)));
}
