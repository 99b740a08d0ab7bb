import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';

const textOf = (name: string): string => readFileSync(join(packageRoot, name), 'utf8');
/** Made while the image is built, or left out of it. */
const isBuilt = (path: string): boolean => /^(dist|prebuilt)\//.test(path);

test('.dockerignore lets through everything that npm publishes and everything that the Dockerfile copies', () => {
  const through = [...textOf('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, path]) => path!);
  const isThrough = (path: string): boolean => through.some((name) => path === name || path.startsWith(`${name}/`));
  const { files } = JSON.parse(textOf('package.json')) as { files: readonly string[] };
  const copied = [...textOf('deploy/container/Dockerfile').matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, names]) =>
    names!.split(' ').filter((name) => name !== '.'),
  );
  assert.ok(copied.includes('package.json') && files.includes('web/page.html'), 'both lists were found');
  for (const path of [...files, ...copied]) assert.ok(isBuilt(path) || isThrough(path), `${path} is kept out`);
});
