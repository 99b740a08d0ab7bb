import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clear, list, type CacheOptions } from '../../../src/cli/commands/cache.js';
import type { CommandContext } from '../../../src/cli/context.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-cache-command-'));
after(() => rmSync(folder, { recursive: true }));

const [old, fresh] = ['a'.repeat(64), 'b'.repeat(64)];
writeFileSync(join(folder, old), Buffer.alloc(2_500_000));
writeFileSync(join(folder, fresh), Buffer.alloc(1_000_000));
writeFileSync(join(folder, 'notes.txt'), 'of somebody else');
const longAgo = new Date('2020-05-01T10:00:00Z');
utimesSync(join(folder, old), longAgo, longAgo);
const module = 'c'.repeat(64);
const modules = join(folder, 'modules');
mkdirSync(join(modules, module), { recursive: true });
writeFileSync(join(modules, module, 'run.mjs'), Buffer.alloc(200_000));
const between = new Date('2020-06-01T10:00:00Z');
utimesSync(join(modules, module), between, between);

async function said(command: typeof list, options: CacheOptions): Promise<string> {
  let text = '';
  const stdout = { write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream;
  const environment = { LOCKSTEP_CACHE_DIR: folder };
  await command(options, { stdout, stderr: stdout, argv: [], environment } satisfies CommandContext);
  return text;
}

test('what is kept is listed with its size, and freed by its age, but nothing of others', async () => {
  const lines = (await said(list, {})).trim().split('\n');
  assert.match(lines[0]!, new RegExp(`^${fresh}  data +1\\.0 MB`));
  assert.equal(lines[1], `${module}  module      0.2 MB  used 2020-06-01 10:00`);
  assert.equal(lines[2], `${old}  data        2.5 MB  used 2020-05-01 10:00`);
  assert.equal(lines[3], `3 entries, 3.7 MB, in ${folder}`);
  assert.deepEqual(JSON.parse((await said(list, { json: true })).split('\n')[2]!), {
    ...{ kind: 'data', digest: old, bytes: 2_500_000, used: longAgo.toISOString() },
  });

  assert.match(await said(clear, { olderThan: '30', dryRun: true }), /2 entries, 2\.7 MB, would be removed/);
  assert.deepEqual(readdirSync(folder).sort(), [old, fresh, 'modules', 'notes.txt']);
  assert.deepEqual(readdirSync(modules), [module]);
  assert.match(await said(clear, { olderThan: '30' }), /2 entries, 2\.7 MB, were removed/);
  assert.deepEqual(readdirSync(folder).sort(), [fresh, 'modules', 'notes.txt']);
  assert.deepEqual(readdirSync(modules), []);
  await said(clear, {});
  assert.deepEqual(readdirSync(folder).sort(), ['modules', 'notes.txt']);
  await assert.rejects(said(clear, { olderThan: 'x' }), { code: 'BAD_USAGE' });
});
