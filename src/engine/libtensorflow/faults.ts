/** What can go wrong with the engine `tensorflow`, and with putting it together. */
import { faultsFrom, type FaultKind, type FaultTable } from '../../core/errors.js';

const install = '`lockstep engines install tensorflow`';

export const tensorflowFaults = {
  TENSORFLOW_UNAVAILABLE: {
    exitCode: 1,
    meaning: 'The engine tensorflow was asked for, and no TensorFlow on this machine can be used.',
    message: ({ reasons }) => `engine tensorflow is not available: ${reasons}`,
    remedy: `run ${install}, with --gpu for CUDA; or use --engine auto, which needs no TensorFlow`,
  } satisfies FaultKind<{ readonly reasons: string }>,
  INSTALL_PLATFORM: {
    exitCode: 1,
    meaning: 'There is no TensorFlow that lockstep could build its engine against on this kind of machine.',
    message: ({ platform, wanted }) => `TensorFlow cannot be installed on ${platform}: ${wanted}`,
    remedy: 'use --engine auto, or webgpu for a GPU',
  } satisfies FaultKind<{ readonly platform: string; readonly wanted: string }>,
  INSTALL_TOOL_MISSING: {
    exitCode: 1,
    meaning: 'A program that puts the engine together is not installed.',
    message: ({ tool, purpose }) => `${tool} was not found, which ${purpose}`,
    remedy: 'install it (Debian and Ubuntu: apt-get install g++ python3 python3-pip npm) and run the command again',
  } satisfies FaultKind<{ readonly tool: string; readonly purpose: string }>,
  INSTALL_DOWNLOAD_FAILED: {
    exitCode: 1,
    meaning: 'A package that the engine is made of could not be downloaded.',
    message: ({ what, reason }) => `cannot download ${what}: ${reason}`,
    remedy: 'check the connection to the package registries; a wheel that is here already can be given with --from',
  } satisfies FaultKind<{ readonly what: string; readonly reason: string }>,
  INSTALL_SOURCE_UNUSABLE: {
    exitCode: 2,
    meaning: 'What --from names is neither a wheel of TensorFlow nor the folder of an installed one.',
    message: ({ from, reason }) => `--from ${from} cannot be used: ${reason}`,
    remedy: 'give a tensorflow or tensorflow_cpu .whl file, or the site-packages folder that has tensorflow in it',
  } satisfies FaultKind<{ readonly from: string; readonly reason: string }>,
  INSTALL_COMPILE_FAILED: {
    exitCode: 1,
    meaning: 'The binding between Node.js and libtensorflow could not be compiled.',
    message: ({ compiler, reason }) => `${compiler} cannot compile the binding: ${reason}`,
    remedy: 'install a C++ compiler with its standard library (Debian and Ubuntu: apt-get install g++), at least C++17',
  } satisfies FaultKind<{ readonly compiler: string; readonly reason: string }>,
  INSTALL_DOES_NOT_LOAD: {
    exitCode: 1,
    meaning: 'The engine was put together, and does not run on this machine; nothing was installed.',
    message: ({ reason }) => `what was built does not run: ${reason}`,
    remedy: 'if the processor is older than the wheel expects, give another one with --from',
  } satisfies FaultKind<{ readonly reason: string }>,
} as const satisfies FaultTable;

export const fault = faultsFrom(tensorflowFaults);
