import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import type { Installation } from './installations.js';
import type { LoadedTensorflow } from './load.js';

export type ProbeAnswer = LoadedTensorflow | { readonly reason: string };

export type Probe = (installation: Installation) => ProbeAnswer & { readonly withoutGpu?: string };

/** A library that has not loaded by now will not: it takes half a second. */
const limitMs = 120_000;

/**
 * Tries an installation in a process of its own: a library of another processor's instructions ends it, and of two that are
 * loaded into one process the second would take functions of the first.
 *
 * @returns what is there and computes, or why it does not; `withoutGpu`: why it computes on the processor though it was made
 *   for CUDA
 */
export const probe: Probe = (installation) => {
  const program = fileURLToPath(new URL('./probe-main.js', import.meta.url));
  const { stdout, stderr, signal, status, error } = spawnSync(
    process.execPath,
    [program, JSON.stringify(installation)],
    { encoding: 'utf8', timeout: limitMs, env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '0' } },
  );
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (error ?? !line.startsWith('{'))
    return { reason: `the process that tried it ended with ${error?.message ?? signal ?? status}` };
  const answer = JSON.parse(line) as ProbeAnswer;
  if ('reason' in answer) return { reason: inOurWords(answer.reason) };
  return installation.isForGpu && !answer.isOnGpu ? { ...answer, withoutGpu: whyNoGpu(stderr) } : answer;
};

/** What the dynamic linker says, for those who do not know it. */
function inOurWords(reason: string): string {
  const library = /^(lib\S+): cannot open shared object file/.exec(reason)?.[1];
  if (library?.startsWith('libtensorflow'))
    return `no libtensorflow: ${library} was not found where its binding expects it`;
  return library === undefined ? `does not load: ${reason}` : `the library ${library} is missing on this machine`;
}

/** TensorFlow goes on without a GPU, and says why in its log alone. */
function whyNoGpu(log: string): string {
  const reasons = [
    /Could not find cuda drivers/,
    /failed call to cuInit: [^\n]*/,
    /Could not load dynamic library '[^']+'/,
    /Cannot dlopen some GPU libraries/,
  ];
  const found = reasons.flatMap((reason) => reason.exec(log)?.[0] ?? [])[0];
  return `no CUDA: ${found ?? 'TensorFlow finds no GPU'}`;
}
