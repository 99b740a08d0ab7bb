import { join } from 'node:path';

import { rolldown } from 'rolldown';

import { packageRoot } from '../../src/core/paths.js';

/** What the wasm backend's start-up code expects of Node.js, and a module does not have. */
const commonJsNames = 'const { dirname: __dirname, filename: __filename } = import.meta;';

/**
 * The suite with all of TensorFlow.js in one file, since its published modules are for bundlers. Nothing may be left out: its
 * package says that modules without effect are those that register kernels, gradients and tests.
 *
 * @returns the file, as deep below dist/ as our own modules, which find the package's folder from where they are
 */
export async function bundleSuite(): Promise<string> {
  const file = join(packageRoot, 'dist/test/conformance/bundled/suite.mjs');
  const bundle = await rolldown({
    input: join(packageRoot, 'dist/test/conformance/suite.js'),
    platform: 'node',
    treeshake: false,
    logLevel: 'silent',
    external: [/^node:/, 'webgpu'],
    resolve: { mainFields: ['module', 'main'] },
  });
  await bundle.write({ file, format: 'esm', codeSplitting: false, intro: commonJsNames });
  await bundle.close();
  return file;
}
