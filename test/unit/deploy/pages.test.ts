import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { blocks } from '../../deploy/documented.js';
import { only, projectFiles } from '../../tidy/files.js';

const tests = [...only(projectFiles(packageRoot), /^test\/deploy\/.*\.test\.ts$/).values()].join('\n');

test('every command of docs/deploy is run by a test, or its page says why not', () => {
  assert.ok(blocks().length > 0);
  for (const { page, note, commands } of blocks()) {
    const [, name] = /^test: (\S+)$/.exec(note) ?? [];
    const isRun = name !== undefined && tests.includes(`documented('${page}', '${name}'`);
    assert.ok(
      isRun || /^not run: .{10}/.test(note),
      `docs/deploy/${page}: ${commands.join('; ')} (${note || 'no note'})`,
    );
  }
});
