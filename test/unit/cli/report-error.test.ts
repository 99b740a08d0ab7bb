import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { catalogueText, errorCatalogue, errorsPage } from '../../../src/cli/error-catalogue.js';
import { reportError } from '../../../src/cli/report-error.js';
import { fault } from '../../../src/core/faults.js';
import { packageRoot } from '../../../src/core/paths.js';
import { FakeStream } from './fake-stream.js';

function report(error: unknown, { json = false, debug = false } = {}) {
  const [stdout, stderr] = [new FakeStream(false), new FakeStream(false)];
  const exitCode = reportError(error, { stdout, stderr, json, debug });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

describe('reportError', () => {
  const portInUse = fault('PORT_IN_USE', { host: '127.0.0.1', port: 7070, flag: '--port' });

  test('a fault: message, code, remedy, no stack', () => {
    assert.deepEqual(report(portInUse), {
      exitCode: 1,
      stdout: '',
      stderr: `error: port 7070 on 127.0.0.1 is already in use (--port 7070) [PORT_IN_USE]\nremedy: ${portInUse.remedy}\n`,
    });
  });
  test('a fault behind another error', () => {
    assert.match(report(new Error('start failed', { cause: portInUse })).stderr, /PORT_IN_USE/);
  });
  test('what nobody foresaw is called a bug, and shows its stack on demand, with its causes', () => {
    const bug = new TypeError('x is\n  undefined', { cause: new RangeError('deep') });
    const { exitCode, stderr } = report(bug);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^error: TypeError: x is undefined \[INTERNAL\]\nremedy: this is a bug.*\n$/);
    assert.match(
      report(bug, { debug: true }).stderr,
      /report-error\.test[\s\S]*RangeError: deep[\s\S]*report-error\.test/,
    );
  });
  test('anything can be thrown', () => {
    for (const thrown of [undefined, null, 'text', 7, {}])
      assert.equal(report(thrown, { json: true, debug: true }).exitCode, 1);
  });
});

describe('the catalogue of errors', () => {
  test('names every fault once, with words for a person', async () => {
    const entries = await errorCatalogue();
    assert.ok(entries.some(({ room, code }) => room === 'config' && code === 'UNKNOWN_FLAG'));
    assert.ok(entries.some(({ room, code }) => room === 'core' && code === 'PORT_IN_USE'));
    const codes = entries.map(({ code }) => code);
    assert.deepEqual(
      codes.filter((code, i) => codes.indexOf(code) !== i),
      [],
      'codes of two rooms',
    );
    for (const { code, meaning, remedy, exitCode } of entries) {
      assert.match(code, /^[A-Z][A-Z0-9_]+$/);
      assert.match(meaning, /^[A-Z`].*\.$/, code);
      assert.doesNotMatch(meaning + remedy, /\n/, code);
      assert.match(remedy, /[^.]$/, `${code}: a remedy ends without a full stop`);
      assert.ok([1, 2, 3, 130].includes(exitCode), code);
    }
    const text = catalogueText(entries);
    for (const code of codes) assert.ok(text.includes(`\n${code} (exit `), code);
  });
});

test('docs/errors.md is what the tables say (`npm run docs` writes it)', async () => {
  assert.equal(readFileSync(join(packageRoot, 'docs', 'errors.md'), 'utf8'), errorsPage(await errorCatalogue()));
});
