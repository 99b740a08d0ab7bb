/** Commands of the documents, run as they are printed; test/unit/cli/documents.test.ts says which are run elsewhere. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { packageRoot } from '../../src/core/paths.js';
import { blocksOf, commandsOf, documentedBlock } from '../documented.js';
import { runToEnd, workshop, writeSmallDataset } from '../e2e/lockstep.js';

const place = workshop({ after });
const digestIn = (text: string): string => /^weights\s+sha256 ([0-9a-f]{64})$/m.exec(text)?.[1] ?? `none in\n${text}`;

/** @returns what each of the commands printed */
async function printedBy(page: string, name: string): Promise<string[]> {
  const printed: string[] = [];
  for (const command of commandsOf(documentedBlock(page, name))) {
    const [, words = ''] = /^(?:npx )?lockstep (.*)$/.exec(command) ?? [];
    const { code, stdout, stderr } = await runToEnd(words.split(/\s+/), place.folder);
    assert.deepEqual([code, stderr], [0, ''], `${page}: ${command}`);
    printed.push(stdout);
  }
  return printed;
}

test('README.md: what one can choose, then what was trained is tested, asked and exported', async () => {
  // Fashion's own files are 30 MB: any data in this format does.
  mkdirSync(place.path('fashion'));
  writeSmallDataset(place.path('fashion'));
  const plain = place.path('fashion/t10k-images-idx3-ubyte');
  writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)));
  for (const printed of await printedBy('README.md', 'choose')) assert.match(digestIn(printed), /^[0-9a-f]{64}$/);
  const [evaluated = '', predicted = ''] = await printedBy('README.md', 'use what was trained');
  assert.match(evaluated, /accuracy/);
  assert.equal(predicted.trim().split('\n').length, 100, 'a line for each of the 100 images');
  for (const file of ['fashion-model/model.json', 'fashion.npz']) assert.ok(existsSync(place.path(file)), file);
});

test('docs/concepts.md: two runs with the same digest', async () => {
  const [one, three] = await printedBy('docs/concepts.md', 'same bits');
  assert.match(digestIn(one!), /^[0-9a-f]{64}$/);
  assert.equal(digestIn(one!), digestIn(three!));
});

test('docs/own-model.md: the module trains, and what it has trained is evaluated', async () => {
  mkdirSync(place.path('node_modules'));
  symlinkSync(packageRoot, place.path('node_modules/lockstep'), 'dir');
  const module = blocksOf('docs/own-model.md').find(({ text }) => text.startsWith('// my-run.mjs'));
  writeFileSync(place.path('my-run.mjs'), module!.text);
  const [printed] = await printedBy('docs/own-model.md', 'train my-run');
  assert.match(digestIn(printed!), /^[0-9a-f]{64}$/);
  const [all, best] = await printedBy('docs/own-model.md', 'evaluate my-run');
  for (const line of [all, best])
    assert.match(line!, /^my-run: loss [\d.e-]+; 1,000 samples, train of .*my-run\.mjs, /);
});

test('docs/optimizers.md: an update rule with its options', async () => {
  const [printed] = await printedBy('docs/optimizers.md', 'update rule');
  assert.match(digestIn(printed!), /^[0-9a-f]{64}$/);
});

test('docs/security.md: certificates are made, issued and rotated', async () => {
  await printedBy('docs/security.md', 'certificates');
  for (const folder of ['mnist-certs', 'for-anna']) assert.ok(existsSync(place.path(folder)), folder);
});
