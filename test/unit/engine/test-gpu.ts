/**
 * The GPU of tests: SwiftShader, which plays one on the processor and comes with Debian's chromium, or with LOCKSTEP_GPU the
 * one that is named, as `--gpu` has it.
 */
import { existsSync } from 'node:fs';

import { LockstepError } from '../../../src/core/errors.js';
import { chooseAdapter, listAdapters } from '../../../src/engine/webgpu/adapters.js';

const software = '/usr/lib/chromium/vk_swiftshader_icd.json';

export const testGpu = process.env['LOCKSTEP_GPU'] ?? 'swiftshader';

if (testGpu === 'swiftshader' && existsSync(software)) process.env['VK_ICD_FILENAMES'] ??= software;

/** For a process that shall find it. */
export const gpuEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (/^VK_|^XDG_DATA_DIRS$/.test(name) ? [[name, value!]] : [])),
);

/** Why tests on it are skipped, loudly; in CI, where .ci/run installs what it takes, its absence is a failure. */
export async function testGpuMissing(): Promise<string | false> {
  try {
    chooseAdapter(testGpu, await listAdapters());
    return false;
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    const reason = `no GPU for tests, not even one in software (Debian: chromium and libvulkan1): ${error.message}`;
    if (process.env['CI'] === 'true')
      throw new Error(`CI must have one: .ci/run installs it; ${reason}`, { cause: error });
    return reason;
  }
}
