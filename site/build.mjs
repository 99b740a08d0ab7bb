/**
 * Builds the documentation site into site/dist/pages: `npm ci && npm run build` in site/, after `npm ci` in the project.
 * Ends with 1 for a warning of a tool, a link that leads nowhere, and a page that nothing leads to.
 */

import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { deadLinks } from './check.mjs';
import { content, stage } from './stage.mjs';

const here = import.meta.dirname;
const pages = join(here, 'dist', 'pages');

/** A tool of ours, to its end. What it says is shown only if it is a complaint. */
function tool(file, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(here, 'node_modules', ...file), ...words], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', RSPRESS_LOG_LEVEL: 'info' },
  });
  const said = `${stdout}${stderr}`;
  return status === 0 && !/\b(warn|warning|error)\b/i.test(said) ? [] : [`${file.at(-1)} ${words.join(' ')}:\n${said}`];
}

function complaints() {
  for (const folder of [content, pages]) rmSync(folder, { recursive: true, force: true });
  const staged = stage();
  if (staged.length > 0) return staged;
  const made = [
    ...tool(['typedoc', 'bin', 'typedoc'], '--options', 'typedoc.json'),
    ...tool(['@rspress', 'core', 'bin', 'rspress.js'], 'build'),
  ];
  return made.length > 0 ? made : deadLinks(pages);
}

const found = complaints();
for (const line of found) process.stderr.write(`error: ${line}\n`);
process.exitCode = found.length > 0 ? 1 : 0;
