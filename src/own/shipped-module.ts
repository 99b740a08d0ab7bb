/** A run's module as it travels to workers that do not have it: `--ship`. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';

import { sha256 } from '../core/digest.js';
import { packageRoot } from '../core/paths.js';
import type { Blob } from '../core/run-spec.js';
import { fault } from './faults.js';
import { moduleFiles } from './module-digest.js';

/** What is sent, as JSON: the module's own name, and every file by its path relative to it. */
interface Shipment {
  readonly module: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Code, not data: a worker holds it in memory before it has looked at it. */
const bytesMax = 8 * 1024 * 1024;

/**
 * A module and the modules that it imports from its own folder and those below.
 *
 * @throws LockstepError `MODULE_NOT_SHIPPED` for an import from elsewhere, `RUN_MODULE_MISSING`
 */
export async function packModule(path: string): Promise<Buffer> {
  const files = await moduleFiles(path);
  const outside = files.find(([name]) => name.startsWith('../'));
  if (outside)
    throw fault('MODULE_NOT_SHIPPED', { path, reason: `it imports ${outside[0]}, which is not in its folder` });
  const texts = files.map(([name, content]) => [name, content.toString('utf8')] as const);
  const shipment: Shipment = { module: basename(path), files: Object.fromEntries(texts) };
  const content = Buffer.from(JSON.stringify(shipment));
  if (content.length > bytesMax)
    throw fault('MODULE_NOT_SHIPPED', { path, reason: `it has ${content.length} bytes, and ${bytesMax} are the most` });
  return content;
}

/**
 * Receives a module and writes it into a folder that is named by its content. What comes is not run here: whether it is the
 * module of the run its digest says.
 *
 * @param folder - in which there may be others
 * @returns the path of the module
 * @throws LockstepError `SHIPMENT_DAMAGED` if it is not what was announced, or names a file outside of its folder
 */
export async function receiveModule(
  announced: Blob,
  chunks: AsyncIterable<Uint8Array>,
  folder: string,
): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > Math.min(announced.bytes, bytesMax)) break;
    parts.push(chunk);
  }
  const content = Buffer.concat(parts);
  const is = sha256(content);
  if (is !== announced.sha256)
    throw fault('SHIPMENT_DAMAGED', {
      reason: `its SHA-256 is ${is.slice(0, 12)}, expected ${announced.sha256.slice(0, 12)}`,
    });
  const shipment = JSON.parse(content.toString('utf8')) as Shipment;
  const root = resolve(folder, is);
  for (const name of [shipment.module, ...Object.keys(shipment.files)])
    if (!resolve(root, name).startsWith(root + sep))
      throw fault('SHIPMENT_DAMAGED', { reason: `it names the file ${name}` });
  if (!existsSync(root)) await unpack(shipment, root);
  return resolve(root, shipment.module);
}

/** The folder appears whole: another worker of this machine may receive the same module, and one that is there may be in use. */
async function unpack({ files }: Shipment, root: string): Promise<void> {
  await mkdir(dirname(root), { recursive: true });
  const unfinished = await mkdtemp(`${root}.`);
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(resolve(unfinished, name)), { recursive: true });
      await writeFile(resolve(unfinished, name), text);
    }
    await mkdir(join(unfinished, 'node_modules'), { recursive: true });
    await symlink(packageRoot, join(unfinished, 'node_modules', 'lockstep'), 'junction');
    await rename(unfinished, root).catch((error: unknown) => {
      if (!existsSync(root)) throw error; //                          somebody else was faster
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
