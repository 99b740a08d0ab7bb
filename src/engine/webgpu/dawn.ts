/**
 * Dawn, Chromium's implementation of WebGPU, as the package `webgpu` brings it to Node.js. It is optional: most machines have
 * no GPU, and it weighs 130 MB.
 *
 * It loads in a worker thread, in several too. What it does not survive is a thread that is ended in the middle of a call, or
 * while it has promised an answer: it aborts the process. So its threads end by themselves: `end` of engine-thread-main.ts.
 */
import { fault } from './faults.js';

interface DawnPackage {
  /** @param flags - `adapter=NAME`, `backend=NAME`, `enable-dawn-features=...` */
  readonly create: (flags: readonly string[]) => GPU;
  /** What a browser has as global names: constants and classes. */
  readonly globals: Readonly<Record<string, unknown>>;
}

let loaded: DawnPackage | undefined;

/** Also gives this thread the global names that WebGPU's users expect. @throws LockstepError `GPU_PACKAGE_UNUSABLE` */
export async function loadDawn(): Promise<DawnPackage> {
  if (loaded) return loaded;
  try {
    loaded = (await import('webgpu')) as DawnPackage;
  } catch (error) {
    throw fault('GPU_PACKAGE_UNUSABLE', { name: 'webgpu', reason: reasonOf(error) }, error);
  }
  Object.assign(globalThis, loaded.globals);
  return loaded;
}

/** @param error - of an import */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  if (code === 'ERR_MODULE_NOT_FOUND' && message?.includes('Cannot find package')) return 'it is not installed';
  return (message ?? String(error)).split('\n', 1)[0]!;
}
