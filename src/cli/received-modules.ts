import { join } from 'node:path';
import { ReceivedModules } from '../own/received-modules.js';

/** The modules that this machine was sent, beside its data sets. @param cacheFolder - of this user */
export function receivedModulesIn(cacheFolder: string): ReceivedModules {
  return new ReceivedModules({ folder: join(cacheFolder, 'modules'), wallTimeMs: () => Date.now() });
}
