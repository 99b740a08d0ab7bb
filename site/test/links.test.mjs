import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { deadLinks } from '../check.mjs';
import { forSite } from '../links.mjs';

const places = new Map([
  ['README.md', 'readme.md'],
  ['docs/a.md', 'a.md'],
  ['docs/deploy/b.md', 'deploy/b.md'],
]);
const kinds = { 'README.md': 'file', 'docs/a.md': 'file', 'docs/deploy/b.md': 'file', 'docs/images/c.png': 'file' };
const kindOf = (path) => ({ ...kinds, 'deploy/d.yml': 'file', deploy: 'folder' })[path];
const turned = (text, source = 'docs/deploy/b.md') => forSite(text, source, places, kindOf);

test('links between documents are those between pages, with their anchors', () => {
  assert.equal(turned('[a](../a.md#x) [b](b.md)').text, '[a](../a.md#x) [b](./b.md)');
  assert.equal(turned('[r](../../README.md)').text, '[r](../readme.md)');
  assert.equal(turned('[b](docs/deploy/b.md)', 'README.md').text, '[b](./deploy/b.md)');
});

test('a picture comes along', () => {
  const { text, files } = turned('![c](../images/c.png)');
  assert.equal(text, '![c](../images/c.png)');
  assert.deepEqual([...files], [['docs/images/c.png', 'images/c.png']]);
  assert.equal(turned('![c](images/c.png)', 'docs/a.md').text, '![c](./images/c.png)');
});

test('what is no page is named by its path; what is elsewhere, or code, stays', () => {
  assert.equal(turned('[d](../../deploy/d.yml)').text, 'd (`deploy/d.yml`)');
  assert.equal(turned('[deploy](../../deploy/)').text, '`deploy`');
  for (const text of ['[x](https://example.org/a.md)', '[x](#here)', '`[x](gone.md)`', '```\n[x](gone.md)\n```'])
    assert.deepEqual(turned(text), { text, files: new Map(), complaints: [] });
});

test('a link that leads nowhere, or out of the project, is a complaint', () => {
  const complaints = (text) => turned(text).complaints.map((line) => line.replace(/.*there is no /, ''));
  assert.deepEqual(complaints('[x](gone.md)\n![y](gone.png) [z](../../../z.md)'), [
    'docs/deploy/gone.md',
    'docs/deploy/gone.png',
    '../z.md',
  ]);
});

const folder = mkdtempSync(join(tmpdir(), 'lockstep-site-'));
after(() => rmSync(folder, { recursive: true }));

test('what a browser would not find', () => {
  const page = (path, body) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), body);
  };
  page('index.html', '<a href="/a.html">a</a> <a href="/d/">d</a> <a href="https://example.org/gone">x</a>');
  page('a.html', '<h2 id="there">t</h2> <a href="#there">t</a> <a href="d/#top">d</a> <a href="/">home</a>');
  page('d/index.html', '<h1 id="top">d</h1> <a href="../a.html#there">a</a> <img src="./p.png">');
  page('d/p.png', '');
  assert.deepEqual(deadLinks(folder), []);
  page('a.html', '<a href="#not">t</a> <a href="d/#not">d</a> <a href="/gone.html">g</a> <img src="gone.png">');
  page('alone.html', '<a href="/alone.html">only itself</a>');
  assert.deepEqual(deadLinks(folder).sort(), [
    'a.html: /gone.html leads nowhere',
    'a.html: a.html has no #not',
    'a.html: d/index.html has no #not',
    'a.html: gone.png leads nowhere',
    'alone.html: no page leads to it',
    'd/index.html: a.html has no #there',
  ]);
});
