/**
 * Builds the pages, page.html of a run and sweep.html of a sweep, each one file with its script and its style inside; with
 * --check only says whether that is what lies there. The files are in the repository, so that nobody needs these tools to
 * look at a run.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { pages, sourcesDigest } from './sources.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

for (const name of Object.keys(pages)) {
  const target = new URL(`${name}.html`, import.meta.url);
  const page = await pageOf(name);
  if (!process.argv.includes('--check')) writeFileSync(target, page);
  else if (readFileSync(target, 'utf8') !== page) {
    process.stderr.write(`error: web/${name}.html is not what its sources give\nremedy: npm run build in web/\n`);
    process.exitCode = 1;
  }
}

async function pageOf(name) {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
      rollupOptions: { input: fileURLToPath(new URL(pages[name].entry, import.meta.url)) },
    },
  });
  const { output } = Array.isArray(built) ? built[0] : built;
  const textOf = (pattern) => {
    const found = output.filter(({ fileName }) => pattern.test(fileName));
    if (found.length !== 1) throw new Error(`${found.length} files like ${pattern}, not one`);
    return String(found[0].type === 'chunk' ? found[0].code : found[0].source).trim();
  };
  const html = textOf(/\.html$/)
    .replace(/\s*<script type="module"[^>]*><\/script>/, '')
    .replace(/\s*<link rel="stylesheet"[^>]*>/, '')
    .replace(
      '</head>',
      () => `<meta name="sources" content="${sourcesDigest(name)}">\n<style>${textOf(/\.css$/)}</style>\n</head>`,
    )
    .replace(
      '</body>',
      () => `<script type="module">${textOf(/\.js$/).replaceAll('</script', '<\\/script')}</script>\n</body>`,
    );
  return `${html}\n`;
}
