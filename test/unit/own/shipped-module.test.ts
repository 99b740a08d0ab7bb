import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { sha256 } from '../../../src/core/digest.js';
import { packageRoot } from '../../../src/core/paths.js';
import { moduleDigest } from '../../../src/own/module-digest.js';
import { ReceivedModules } from '../../../src/own/received-modules.js';
import { packModule } from '../../../src/own/shipped-module.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-ship-'));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'run', 'parts'), { recursive: true });
const module = join(folder, 'run', 'my-run.mjs');
writeFileSync(
  module,
  "import { defineRun } from 'lockstep';\nimport { data } from './parts/data.mjs';\nexport default defineRun({ model: 'mlp', data });\n",
);
writeFileSync(join(folder, 'run', 'parts', 'data.mjs'), "export const data = 'mnist';\n");

async function* inChunks(content: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += 50) yield content.subarray(at, at + 50);
}
const blobOf = (content: Buffer) => ({ sha256: sha256(content), bytes: content.length });
let nowMs = 1_000_000;
const modules = new ReceivedModules({ folder: join(folder, 'received'), wallTimeMs: () => nowMs });
const received = (content: Buffer, announced = blobOf(content)) => modules.receive(announced, inChunks(content));

describe('a module that is sent', () => {
  it('arrives with what it imports, is the same module by its digest, and finds lockstep', async () => {
    const content = await packModule(module);
    const [path, same] = await Promise.all([received(content), received(content)]); // two workers of one machine
    assert.equal(path, same);
    assert.deepEqual(readdirSync(join(folder, 'received')), [sha256(content)]);
    assert.equal(await moduleDigest(path), await moduleDigest(module));
    assert.equal(await received(content), path, 'a second time it is there');
    const { default: run } = (await import(pathToFileURL(path).href)) as { default: unknown };
    assert.deepEqual(run, { model: 'mlp', data: 'mnist' });
  });

  it('is listed with its size and when it was used last, and is gone when it is removed', async () => {
    const content = await packModule(module);
    nowMs = 2_000_000;
    const path = await received(content);
    const other = Buffer.from(JSON.stringify({ module: 'run.mjs', files: { 'run.mjs': '0123456789' } }));
    nowMs = 3_000_000;
    await received(other);
    const bytes = readFileSync(module).length + readFileSync(join(folder, 'run', 'parts', 'data.mjs')).length;
    assert.deepEqual(await modules.entries(), [
      { digest: sha256(other), bytes: 10, usedMs: 3_000_000 },
      { digest: sha256(content), bytes, usedMs: 2_000_000 },
    ]);
    await modules.remove(sha256(content));
    await modules.remove(sha256(content)); //                          somebody else did it
    assert.equal(existsSync(path), false);
    assert.deepEqual(readdirSync(join(folder, 'received')), [sha256(other)]);
    assert.ok(existsSync(packageRoot), 'what it linked to stays');
    await received(content);
    assert.ok(existsSync(path), 'and comes again');
  });

  it('does not reach outside of its folder, on either side', async () => {
    const beside = join(folder, 'run', 'beside.mjs');
    writeFileSync(beside, "export * from '../elsewhere.mjs';\n");
    writeFileSync(join(folder, 'elsewhere.mjs'), '');
    await assert.rejects(packModule(beside), {
      code: 'MODULE_NOT_SHIPPED',
      message: /beside\.mjs cannot be sent to workers: it imports \.\.\/elsewhere\.mjs, which is not in its folder/,
    });
    for (const files of [{ '../../evil.mjs': '' }, { [join(folder, 'evil.mjs')]: '' }]) {
      const evil = Buffer.from(JSON.stringify({ module: 'run.mjs', files: { 'run.mjs': '', ...files } }));
      await assert.rejects(received(evil), { code: 'SHIPMENT_DAMAGED', message: /it names the file .*evil\.mjs/ });
    }
    assert.equal(existsSync(join(folder, 'evil.mjs')), false);
  });

  it('is not written if it is not what was announced', async () => {
    const content = await packModule(module);
    const before = readdirSync(join(folder, 'received'));
    const other = Buffer.concat([content, Buffer.from(' ')]);
    for (const announced of [blobOf(other), { ...blobOf(content), bytes: 60 }])
      await assert.rejects(received(content, announced), { code: 'SHIPMENT_DAMAGED', message: /its SHA-256 is/ });
    assert.deepEqual(readdirSync(join(folder, 'received')), before);
  });
});
