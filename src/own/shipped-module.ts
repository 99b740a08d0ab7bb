/** A run's module as it travels to workers that do not have it: `--ship`. received-modules.ts is the other side. */
import { basename } from 'node:path';

import { fault } from './faults.js';
import { moduleFiles } from './module-digest.js';

/** What is sent, as JSON: the module's own name, and every file by its path relative to it. */
export interface Shipment {
  readonly module: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Code, not data: a worker holds it in memory before it has looked at it. */
export const shippedBytesMax = 8 * 1024 * 1024;

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
  if (content.length > shippedBytesMax)
    throw fault('MODULE_NOT_SHIPPED', {
      path,
      reason: `it has ${content.length} bytes, and ${shippedBytesMax} are the most`,
    });
  return content;
}
