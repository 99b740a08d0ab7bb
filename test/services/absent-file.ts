/**
 * Loaded with `--import` into programs that agents start: one file is not there for workers, as on a host that does not
 * have it; coordinators find it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const absent = process.env['ABSENT_FILE'];
const isThere = fs.existsSync;
if (process.argv.includes('worker')) {
  fs.existsSync = (path) => path !== absent && isThere(path);
  syncBuiltinESMExports();
}
