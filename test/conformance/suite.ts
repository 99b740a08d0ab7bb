/**
 * TensorFlow.js's own tests of its operations and gradients, run on one backend. It is bundled before it runs (bundle.ts), so
 * that the tests and our kernels have one TensorFlow.js between them.
 */
import { createRequire } from 'node:module';

import { engine, getKernelsForBackend, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';

import { conformingEngines } from './engines.js';

export interface FailedSpec {
  readonly name: string;
  readonly message: string;
}

export interface SuiteResult {
  readonly passed: number;
  /** By TensorFlow.js itself, and why. */
  readonly skipped: readonly FailedSpec[];
  readonly failed: readonly FailedSpec[];
  /** Calls of kernels by the backend that they are registered for: proof of who did the work. */
  readonly kernelCalls: Readonly<Record<string, number>>;
  /** Those of the backend under test by where its kernels come from, if it has them from several places. */
  readonly sources: Readonly<Record<string, number>> | undefined;
}

/** What we use of jasmine, whose package has no types. */
interface Jasmine {
  /** Of a spec, in milliseconds. */
  DEFAULT_TIMEOUT_INTERVAL: number;
  getEnv(): {
    configure(options: { readonly random: boolean }): void;
    addReporter(reporter: { specDone(spec: Spec): void; suiteDone(suite: Suite): void }): void;
    execute(): Promise<unknown>;
  };
}

interface Suite {
  readonly fullName: string;
  /** Of what runs before and after its specs, which it takes with it. */
  readonly failedExpectations: readonly { readonly message: string }[];
}

interface Spec extends Suite {
  readonly status: 'passed' | 'failed' | 'pending' | 'excluded';
  readonly pendingReason?: string;
}

const { boot } = createRequire(import.meta.url)('jasmine-core') as { readonly boot: () => Jasmine };

export { conformingEngines };

/** @param name - an engine of engines.ts @throws Error if its backend does not start */
export async function runSuite(name: string): Promise<SuiteResult> {
  const { backend, isDataSync, load, sources } = conformingEngines[name]!;
  const jasmine = boot(); //                                         describe, it and expect become global
  jasmine.DEFAULT_TIMEOUT_INTERVAL = 120_000; //                    a busy machine takes its time to compile shaders
  Object.assign(globalThis, { jasmine });
  await load();
  demandBackend(backend);
  const kernelCalls = countKernelCalls();
  setTestEnvs([{ name: backend, backendName: backend, isDataSync }]);
  await import('@tensorflow/tfjs-core/dist/tests.js');

  let passed = 0;
  const [failed, skipped]: [FailedSpec[], FailedSpec[]] = [[], []];
  const runner = jasmine.getEnv();
  runner.configure({ random: false });
  runner.addReporter({
    specDone({ fullName, status, failedExpectations, pendingReason }) {
      if (status === 'passed') passed++;
      else if (status === 'failed') failed.push({ name: fullName, message: failedExpectations[0]?.message ?? '' });
      else skipped.push({ name: fullName, message: pendingReason ?? '' });
    },
    suiteDone({ fullName, failedExpectations }) {
      for (const { message } of failedExpectations) failed.push({ name: fullName, message });
    },
  });
  await runner.execute();
  return { passed, skipped, failed, kernelCalls, sources: sources?.() };
}

/** TensorFlow.js goes on with another backend when one fails to start, and says so in a return value that its suite drops. */
function demandBackend(backend: string): void {
  const setBackend = engine().setBackend.bind(engine());
  engine().setBackend = async (wanted) => {
    const isThere = await setBackend(wanted);
    if (!isThere && wanted === backend) throw new Error(`the backend ${backend} does not start`);
    return isThere;
  };
}

function countKernelCalls(): Record<string, number> {
  const calls: Record<string, number> = {};
  for (const backend of engine().backendNames())
    for (const config of getKernelsForBackend(backend)) {
      unregisterKernel(config.kernelName, backend);
      registerKernel({
        ...config,
        kernelFunc(call) {
          calls[backend] = (calls[backend] ?? 0) + 1;
          return config.kernelFunc(call);
        },
      });
    }
  return calls;
}
