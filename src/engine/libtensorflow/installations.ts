/** Where TensorFlow may be on this machine, better ones first. Nothing is loaded here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { packageRoot } from '../../core/paths.js';
import { defaultCacheFolder } from '../../data/cache.js';
import { tfjsNodeVersion } from './versions.js';

export interface Installation {
  /** A package's name, or what installed it. */
  readonly origin: string;
  /** That of the package: kernels in dist/, the binding in lib/. */
  readonly folder: string;
  /** Compiled Node-API addon. */
  readonly binding: string;
  /** Whether its libtensorflow was made for CUDA. */
  readonly isForGpu: boolean;
}

/** What was looked for, and why it is not to be had. */
export interface Refusal {
  readonly origin: string;
  readonly reason: string;
  /** Nothing is there at all, which is how most machines are. */
  readonly isMissing?: boolean;
}

export type Found = Installation | Refusal;

/** Published by TensorFlow's makers; their install scripts download libtensorflow. Optional: nobody has to have them. */
const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

export const ownOrigin = 'lockstep engines install tensorflow';

/** Beside the cached data sets of this user. */
export function installationsFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(defaultCacheFolder(environment), 'tensorflow');
}

/**
 * `LOCKSTEP_TENSORFLOW` is `0` to switch the engine off, or the folder of one installation, alone.
 *
 * @param root - from where packages are looked for
 */
export function findInstallations(environment: NodeJS.ProcessEnv = process.env, root = packageRoot): readonly Found[] {
  const wanted = environment['LOCKSTEP_TENSORFLOW'];
  if (wanted === '0') return [{ origin: 'LOCKSTEP_TENSORFLOW=0', reason: 'switches it off' }];
  if (wanted) return [inspectFolder(wanted, wanted)];
  return [...packages.map((name) => inspectPackage(name, root)), ...ownInstallations(installationsFolder(environment))];
}

/** Those of `lockstep engines install tensorflow`, which appear whole by a rename. */
function ownInstallations(folder: string): readonly Found[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
  const found = names.sort().map((name) => inspectFolder(`${ownOrigin} (${name})`, join(folder, name)));
  if (found.length === 0) return [{ origin: ownOrigin, reason: 'was not run', isMissing: true }];
  return found.sort((a, b) => Number('isForGpu' in b && b.isForGpu) - Number('isForGpu' in a && a.isForGpu));
}

function inspectPackage(name: string, root: string): Found {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
    return inspectFolder(name, dirname(manifest));
  } catch {
    return { origin: name, reason: 'is not installed', isMissing: true };
  }
}

function inspectFolder(origin: string, folder: string): Found {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return { origin, reason: `there is no package in ${folder}` };
  const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly name: string; version: string };
  if (version !== tfjsNodeVersion) return { origin, reason: `is version ${version}, not ${tfjsNodeVersion}` };
  const binding = newestBinding(join(folder, 'lib'));
  if (binding === undefined)
    return {
      origin,
      reason: 'has no binding, lib/napi-v*/tfjs_binding.node: its install script did not run, or failed',
    };
  return { origin, folder, binding, isForGpu: name.endsWith('-gpu') };
}

/** Each folder is for one version of Node-API; all that there are work in every Node.js that we support. */
function newestBinding(lib: string): string | undefined {
  const versions = existsSync(lib) ? readdirSync(lib).flatMap((name) => /^napi-v(\d+)$/.exec(name)?.[1] ?? []) : [];
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(lib, `napi-v${version}`, 'tfjs_binding.node'))
    .find((file) => existsSync(file));
}
