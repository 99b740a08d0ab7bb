/** `npm run conformance -- --engine NAME [--json FILE]`: TensorFlow.js's own tests on one of our engines: test/conformance/main.ts. */

import { setUp } from './setup.mjs';

setUp();
const { main } = await import('../dist/test/conformance/main.js');
process.exitCode = await main(process.argv.slice(2));
