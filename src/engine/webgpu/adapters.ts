/** The GPUs of this machine, as Dawn names them, and the one that `--gpu` means. */
import { loadDawn } from './dawn.js';
import { fault } from './faults.js';
import { thisMachine, whatVulkanLacks } from './vulkan.js';

/** Backends on which everything works; the rest are older ones that compute shaders suffer from. */
const backends = ['vulkan', 'metal', 'd3d12'];

export interface Adapter {
  /** What `--gpu` may give. */
  readonly index: number;
  /** Of the device: `NVIDIA H100 80GB HBM3`. */
  readonly name: string;
  readonly backend: string;
  /** The driver, in its own words. */
  readonly driver: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A program that plays a GPU. */
  readonly isSoftware: boolean;
  /** Whether one before it has the same name, by which alone Dawn finds it. */
  readonly isHidden: boolean;
}

/** Handed to Dawn, which then says what there is instead. */
const noSuchAdapter = 'lockstep asks for a list';

/**
 * In Dawn's order. Takes some ten milliseconds an adapter.
 *
 * @throws LockstepError `GPU_PACKAGE_UNUSABLE`, `VULKAN_LOADER_MISSING`, `VULKAN_DRIVER_MISSING`, `GPU_NOT_FOUND`
 */
export async function listAdapters(): Promise<readonly Adapter[]> {
  const { create } = await loadDawn();
  const lacking = whatVulkanLacks(thisMachine);
  if (lacking) throw lacking;
  let answer = '';
  try {
    await create([`adapter=${noSuchAdapter}`]).requestAdapter();
  } catch (error) {
    answer = String(error);
  }
  const named = adaptersNamedIn(answer);
  if (named.length === 0) throw fault('GPU_NOT_FOUND', { reason: 'no driver offers one' });
  const adapters: Adapter[] = [];
  for (const [index, { backend, name }] of named.entries()) {
    const { info } = (await create(flagsFor({ backend, name })).requestAdapter())!;
    const isHidden = adapters.some((other) => other.name === name && other.backend === backend);
    const { vendor, architecture, description: driver, isFallbackAdapter: isSoftware } = info;
    adapters.push({ index, name, backend, driver, vendor, architecture, isSoftware, isHidden });
  }
  return adapters;
}

/** @param answer - what Dawn says when it is asked for an adapter that there is not */
export function adaptersNamedIn(answer: string): readonly Pick<Adapter, 'backend' | 'name'>[] {
  return [...answer.matchAll(/^ \* backend: '(\w+)', name: '(.*)'$/gm)]
    .map(([, backend, name]) => ({ backend: backend!, name: name! }))
    .filter(({ backend }) => backends.includes(backend));
}

export function flagsFor({ backend, name }: Pick<Adapter, 'backend' | 'name'>): readonly string[] {
  return [`backend=${backend}`, `adapter=${name}`];
}

/**
 * `auto` is the first GPU; software that plays one is taken only by its name or index.
 *
 * @throws LockstepError `GPU_UNKNOWN`, `GPU_IS_SOFTWARE`, `GPU_HIDDEN`
 */
export function chooseAdapter(gpu: string, adapters: readonly Adapter[]): Adapter {
  const known = adapters.map(({ index, name, driver }) => `${index}: ${name}${driver === '' ? '' : ` (${driver})`}`);
  if (gpu === 'auto') {
    const first = adapters.find(({ isSoftware }) => !isSoftware);
    if (!first) throw fault('GPU_IS_SOFTWARE', { known });
    return first;
  }
  const wanted = gpu.toLowerCase();
  const isIndex = /^\d+$/.test(gpu);
  const found = isIndex ? adapters[Number(gpu)] : adapters.find(({ name }) => name.toLowerCase().includes(wanted));
  if (!found) throw fault('GPU_UNKNOWN', { gpu, known });
  if (found.isHidden) throw fault('GPU_HIDDEN', { gpu: found.index, name: found.name });
  return found;
}
