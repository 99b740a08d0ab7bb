/** Why there may be no GPU on Linux, found without asking Dawn, which then writes on the user's terminal itself. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { fault } from './faults.js';

const loader = 'libvulkan.so.1';

/** Where Vulkan's loader looks for drivers, each described by a JSON file. */
const driverFolders = [
  '/etc/vulkan/icd.d',
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
];
/** Names of files or folders, in place of the folders or beside them. */
const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];

/** A look at the machine, for tests another one. */
export interface Machine {
  readonly platform: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly exists: (path: string) => boolean;
  /** Names in a folder; none if there is no such folder. */
  readonly list: (folder: string) => readonly string[];
  /** Bytes as characters; empty if there is no such file. */
  readonly read: (path: string) => string;
}

export const thisMachine: Machine = {
  platform: process.platform,
  environment: process.env,
  exists: existsSync,
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  read(path) {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return '';
    }
  },
};

/** What is missing before a GPU can be found, or undefined. Other systems come with what it takes. */
export function whatVulkanLacks(machine: Machine): Error | undefined {
  if (machine.platform !== 'linux') return undefined;
  if (!hasLoader(machine)) return fault('VULKAN_LOADER_MISSING', { library: loader });
  const places = driverPlaces(machine);
  const isDescribed = places.some((place) =>
    place.endsWith('.json') ? machine.exists(place) : machine.list(place).some((name) => name.endsWith('.json')),
  );
  return isDescribed ? undefined : fault('VULKAN_DRIVER_MISSING', { places });
}

/** In the linker's cache, or in the folders of systems that have none. */
function hasLoader({ environment, exists, read, list }: Machine): boolean {
  if (read('/etc/ld.so.cache').includes(loader)) return true;
  const named = (environment['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const multiarch = list('/usr/lib').filter((name) => name.includes('-linux-gnu'));
  const folders = [
    ...named,
    '/usr/lib',
    '/lib',
    '/usr/lib64',
    '/usr/local/lib',
    ...multiarch.map((n) => `/usr/lib/${n}`),
  ];
  return folders.some((folder) => exists(join(folder, loader)));
}

function driverPlaces({ environment }: Machine): readonly string[] {
  const [instead, added] = [driverVariables.slice(0, 2), driverVariables.slice(2)].map((names) =>
    names.flatMap((name) => (environment[name] ?? '').split(':').filter((place) => place !== '')),
  ) as [string[], string[]];
  if (instead.length > 0) return instead; //                          the loader then looks nowhere else
  const home = environment['XDG_DATA_HOME'] ?? join(environment['HOME'] ?? '/', '.local/share');
  return [...added, ...driverFolders, join(home, 'vulkan/icd.d')];
}
