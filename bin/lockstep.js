#!/usr/bin/env node
// In the published package dist/ is there. In a clone it is built on first use, by scripts/setup.mjs.
import { existsSync } from 'node:fs';

const program = new URL('../dist/src/cli/main.js', import.meta.url);
if (!existsSync(program)) {
  const { setUp } = await import('../scripts/setup.mjs');
  setUp();
}
const { runProcess } = await import(program.href);
await runProcess(process.argv.slice(2));
