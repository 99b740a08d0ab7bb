/** Which libtensorflow is installed: that of a wheel which pip fetches, of one that is here, or of an installed one. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { fault } from './faults.js';
import { libtensorflowVersion } from './versions.js';

export type TensorflowSource = { /** Of TensorFlow. */ readonly version: string } & (
  | { readonly kind: 'registry'; /** For pip. */ readonly requirement: string }
  | { readonly kind: 'wheel'; readonly file: string }
  /** `folder` has tensorflow/ in it, beside the CUDA libraries of its wheel, if there are any. */
  | { readonly kind: 'installed'; readonly folder: string }
);

/** @throws LockstepError `INSTALL_SOURCE_UNUSABLE` */
export function tensorflowSource(from: string | undefined, isForGpu: boolean): TensorflowSource {
  const version = libtensorflowVersion;
  if (from === undefined)
    return { kind: 'registry', version, requirement: `tensorflow${isForGpu ? '' : '-cpu'}==${version}` };
  const path = resolve(from);
  const unusable = (reason: string): Error => fault('INSTALL_SOURCE_UNUSABLE', { from, reason });
  if (!existsSync(path)) throw unusable('there is no such file or folder');
  if (!statSync(path).isDirectory()) return { kind: 'wheel', file: path, version: wheelVersion(path, unusable) };
  const folder = existsSync(join(path, libraries[0])) ? dirname(path) : path;
  for (const library of libraries)
    if (!existsSync(join(folder, 'tensorflow', library))) throw unusable(`it has no tensorflow/${library}`);
  return { kind: 'installed', folder, version: installedVersion(folder, unusable) };
}

/** Both are linked to. */
export const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

function wheelVersion(file: string, unusable: (reason: string) => Error): string {
  const version = /^tensorflow(?:_cpu)?-([\w.]+)-.*\.whl$/.exec(basename(file))?.[1];
  if (version === undefined) throw unusable('it is no wheel of tensorflow or tensorflow_cpu by its name');
  return version;
}

function installedVersion(folder: string, unusable: (reason: string) => Error): string {
  const versions = readdirSync(folder).map((name) => /^tensorflow(?:_cpu)?-([\w.]+)\.dist-info$/.exec(name)?.[1]);
  const version = versions.find((found) => found !== undefined);
  if (version === undefined) throw unusable('beside tensorflow there is no tensorflow-VERSION.dist-info');
  return version;
}
