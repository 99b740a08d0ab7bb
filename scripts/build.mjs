/** `npm run build`: installs and compiles what is missing or out of date. */

import { setUp } from './setup.mjs';

setUp();
