/** `npm start -- --workers 3 ...`: sets up, then `lockstep train` with the flags that follow. */

import { setUp } from './setup.mjs';

setUp();
const { main } = await import('../dist/src/cli/main.js');
process.exitCode = await main(['train', ...process.argv.slice(2)]);
