import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
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

async function said(command: typeof list, options: CacheOptions): Promise<string> {
  let text = '';
  const stdout = { write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream;
  const environment = { LOCKSTEP_CACHE_DIR: folder };
  await command(options, { stdout, stderr: stdout, argv: [], environment } satisfies CommandContext);
  return text;
}

test('what is kept is listed with its size, and freed by its age, but nothing of others', async () => {
  const lines = (await said(list, {})).trim().split('\n');
  assert.match(lines[0]!, new RegExp(`^${fresh} +1\\.0 MB`));
  assert.equal(lines[1], `${old}      2.5 MB  used 2020-05-01 10:00`);
  assert.equal(lines[2], `2 entries, 3.5 MB, in ${folder}`);
  assert.deepEqual(JSON.parse((await said(list, { json: true })).split('\n')[1]!), {
    ...{ digest: old, bytes: 2_500_000, used: longAgo.toISOString() },
  });

  assert.match(await said(clear, { olderThan: '30', dryRun: true }), /1 entry, 2\.5 MB, would be removed/);
  assert.deepEqual(readdirSync(folder).sort(), [old, fresh, 'notes.txt']);
  assert.match(await said(clear, { olderThan: '30' }), /1 entry, 2\.5 MB, were removed/);
  assert.deepEqual(readdirSync(folder).sort(), [fresh, 'notes.txt']);
  await said(clear, {});
  assert.deepEqual(readdirSync(folder), ['notes.txt']);
  await assert.rejects(said(clear, { olderThan: 'x' }), { code: 'BAD_USAGE' });
});
