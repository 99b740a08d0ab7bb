import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { test } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { eventsPage } from '../../../src/live/documentation.js';
import { frozenPage, readPage } from '../../../src/live/page.js';
import type { Picture } from '../../../src/live/picture.js';

test('docs/events.md is what the sources say (`npm run docs` writes it)', () => {
  assert.equal(readFileSync(join(packageRoot, 'docs', 'events.md'), 'utf8'), eventsPage());
});

test('the built page comes from the sources that are here (in web/: npm ci, npm run build)', async () => {
  const { sourcesDigest } = (await import(pathToFileURL(join(packageRoot, 'web', 'sources.mjs')).href)) as {
    sourcesDigest: () => string;
  };
  assert.ok(readPage().html.includes(`<meta name="sources" content="${sourcesDigest()}">`));
});

test('the page is small: below 150 KB as it travels', () => {
  const bytes = gzipSync(readPage().html).length;
  assert.ok(bytes < 150_000, `${bytes} bytes`);
});

test('a frozen page has its picture in it, asks nobody, and no text of a run can become code', () => {
  const picture = { version: 1, runId: '</script><script>alert(1)</script>' } as unknown as Picture;
  const page = frozenPage(readPage(), picture);
  assert.equal(page.match(/<script/g)?.length, 2, 'the picture and the program');
  const [, json] = /<script id="picture" type="application\/json">(.*?)<\/script>/.exec(page) ?? [];
  assert.deepEqual(JSON.parse(json!), picture);
  assert.match(page, /<meta http-equiv="content-security-policy" content="[^"]*connect-src 'none'/);
});
