import { isMainThread } from 'node:worker_threads';

/**
 * How TensorFlow is told what it reads once, when it is loaded: through variables of the process. What the user has set stays.
 *
 * Only the main thread can: other threads have copies of the variables that no library sees.
 *
 * @param threads - of a computation; the engine itself has one thread a process, since TensorFlow has its own
 */
export function prepareTensorflow(threads: number): void {
  if (!isMainThread) return;
  const wanted: Readonly<Record<string, string>> = {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1', //                                  operations come one at a time
    TF_FORCE_GPU_ALLOW_GROWTH: 'true', //                            else the first worker takes the whole memory of a GPU
    TF_CPP_MIN_LOG_LEVEL: '2', //                                    errors; what it notices otherwise is no news to a user
  };
  for (const [name, value] of Object.entries(wanted)) process.env[name] ??= value;
}
