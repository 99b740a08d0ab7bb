import { fileURLToPath } from 'node:url';

/** The package's own folder, which holds proto/, src/engine/kernels/ and dist/ (this file is dist/src/core/paths.js). */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
