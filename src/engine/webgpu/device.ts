import { chooseAdapter, flagsFor, listAdapters, type Adapter } from './adapters.js';
import { loadDawn } from './dawn.js';
import { fault } from './faults.js';

/** Used where the adapter has them. */
const usefulFeatures: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16'];

/** Dawn makes a GPU's clock coarse against curious web pages, so that most kernels would take no time at all. */
const withExactClock = 'disable-dawn-features=timestamp_quantization';
const forOwnKernels = ['enable-dawn-features=disable_robustness,disable_workgroup_init'];

/** An open GPU. It belongs to one thread; others open it for themselves. */
export interface Gpu {
  readonly adapter: Adapter;
  readonly info: GPUAdapterInfo;
  readonly device: GPUDevice;
  /** Why the device is gone, as soon as it is, by anything but `close`. */
  readonly loss: () => Error | undefined;
  /** Resolves with the same; never if the device is closed. */
  readonly lost: Promise<Error>;
  close(): void;
}

/**
 * Opens a GPU with all that it can do: its full limits instead of those that every GPU has.
 *
 * @param gpu - `auto`, an index or a part of a name, as `--gpu` has it
 * @param ownKernels - for kernels that were tested to stay inside of their arrays: Dawn then does not check every access
 * @throws what `listAdapters` and `chooseAdapter` throw; LockstepError `GPU_REFUSED`
 */
export async function openGpu(gpu = 'auto', { ownKernels = false } = {}): Promise<Gpu> {
  const adapter = chooseAdapter(gpu, await listAdapters());
  const { create } = await loadDawn();
  const instance = create([...flagsFor(adapter), withExactClock, ...(ownKernels ? forOwnKernels : [])]);
  const { name } = adapter;
  let device: GPUDevice;
  let info: GPUAdapterInfo;
  try {
    const found = (await instance.requestAdapter())!;
    info = found.info;
    device = await found.requestDevice({
      requiredFeatures: usefulFeatures.filter((feature) => found.features.has(feature)),
      requiredLimits: limitsOf(found),
    });
  } catch (error) {
    throw fault('GPU_REFUSED', { name, reason: (error as Error).message.split('\n', 1)[0]! }, error);
  }
  let isClosed = false;
  let loss: Error | undefined;
  const lost = new Promise<Error>((resolve) => {
    void device.lost.then(({ message }) => {
      if (isClosed) return;
      loss = fault('GPU_LOST', { name, reason: message.split('\n', 1)[0] || 'the driver gives no reason' });
      resolve(loss);
    });
  });
  const close = (): void => {
    isClosed = true;
    device.destroy();
  };
  keptInstances.add(instance); //                                    a device does not hold its instance, and dies with it
  return { adapter, info, device, loss: () => loss, lost, close };
}

const keptInstances = new Set<GPU>();

function limitsOf({ limits }: GPUAdapter): Record<string, number> {
  const all: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') all[name] = value;
  }
  return all;
}
