/** What can go wrong between the engine `webgpu` and a GPU. */
import { faultsFrom, type FaultKind, type FaultTable } from '../../core/errors.js';

const orAuto = 'or use --engine auto, which computes on the processor';

export const gpuFaults = {
  GPU_PACKAGE_UNUSABLE: {
    exitCode: 1,
    meaning: 'A package that the engine webgpu needs is not installed, or does not run on this machine.',
    message: ({ name, reason }) => `engine webgpu cannot load the package ${name}: ${reason}`,
    remedy: `npm install webgpu@0.6.2 @tensorflow/tfjs-backend-webgpu@4.22.0, ${orAuto}`,
  } satisfies FaultKind<{ readonly name: string; readonly reason: string }>,
  VULKAN_LOADER_MISSING: {
    exitCode: 1,
    meaning: 'The library through which programs find Vulkan drivers is not installed.',
    message: ({ library }) => `no GPU can be reached: the Vulkan loader ${library} is not installed`,
    remedy: `install it (Debian and Ubuntu: apt-get install libvulkan1) beside the driver of the GPU, ${orAuto}`,
  } satisfies FaultKind<{ readonly library: string }>,
  VULKAN_DRIVER_MISSING: {
    exitCode: 1,
    meaning: 'No Vulkan driver is installed, or none that is looked for.',
    message: ({ places }) => `no GPU can be reached: no Vulkan driver is described in ${places.join(', ')}`,
    remedy: `install the driver of the GPU with its Vulkan part (AMD and Intel: mesa-vulkan-drivers; NVIDIA in a container: NVIDIA_DRIVER_CAPABILITIES=all), ${orAuto}`,
  } satisfies FaultKind<{ readonly places: readonly string[] }>,
  GPU_NOT_FOUND: {
    exitCode: 1,
    meaning: 'There are drivers, but they know of no GPU.',
    message: ({ reason }) => `no GPU was found: ${reason}`,
    remedy: `look whether vulkaninfo --summary lists the GPU, and whether this user may open it, ${orAuto}`,
  } satisfies FaultKind<{ readonly reason: string }>,
  GPU_UNKNOWN: {
    exitCode: 2,
    meaning: 'No GPU has the index or the name of --gpu.',
    message: ({ gpu, known }) => `--gpu ${gpu} names no GPU of this machine; there is ${known.join(', ')}`,
    remedy: 'give the index or a part of the name of one of those',
  } satisfies FaultKind<{ readonly gpu: string; readonly known: readonly string[] }>,
  GPU_IS_SOFTWARE: {
    exitCode: 1,
    meaning: 'What the driver offers is no GPU but a program that plays one, slower than the other engines are.',
    message: ({ known }) => `no GPU was found, only software that plays one: ${known.join(', ')}`,
    remedy: `name it to use it all the same, as in --gpu swiftshader, ${orAuto}`,
  } satisfies FaultKind<{ readonly known: readonly string[] }>,
  GPU_HIDDEN: {
    exitCode: 1,
    meaning: 'Two GPUs have one name, by which alone the second cannot be opened.',
    message: ({ gpu, name }) =>
      `GPU ${gpu} has the same name as one before it, ${name}, and only the first can be opened`,
    remedy: 'start that worker where it sees no other GPU, as in a container with NVIDIA_VISIBLE_DEVICES',
  } satisfies FaultKind<{ readonly gpu: number; readonly name: string }>,
  GPU_REFUSED: {
    exitCode: 1,
    meaning: 'The driver would not open the GPU.',
    message: ({ name, reason }) => `the GPU ${name} cannot be opened: ${reason}`,
    remedy: `look whether another program has taken it for itself or all of its memory, ${orAuto}`,
  } satisfies FaultKind<{ readonly name: string; readonly reason: string }>,
  GPU_LOST: {
    exitCode: 1,
    meaning: 'The GPU or its driver stopped working in the middle of a run. The other workers go on.',
    message: ({ name, reason }) => `the GPU ${name} was lost: ${reason}`,
    remedy: 'start the worker again; if that happens often, look at the log of the driver (dmesg)',
  } satisfies FaultKind<{ readonly name: string; readonly reason: string }>,
  GPU_OUT_OF_MEMORY: {
    exitCode: 1,
    meaning: 'A micro-batch needs more memory than the GPU has, or more in one piece than it gives.',
    message: ({ name, microBatch, reason }) =>
      `a micro-batch of ${microBatch} samples does not fit the memory of the GPU ${name}: ${reason}`,
    remedy: 'choose a smaller --micro-batch',
  } satisfies FaultKind<{ readonly name: string; readonly microBatch: number; readonly reason: string }>,
} as const satisfies FaultTable;

export const fault = faultsFrom(gpuFaults);
