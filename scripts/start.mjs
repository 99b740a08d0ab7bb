/** `npm start -- --workers 3 ...`: sets up, then `lockstep train` with the flags that follow. */

import { setUp } from './setup.mjs';

setUp();
const { runProcess } = await import('../dist/src/cli/main.js');
await runProcess(['train', ...process.argv.slice(2)]);
