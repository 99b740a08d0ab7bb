import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLog, type LogLevel } from '../../../src/cli/logger.js';
import { FakeStream } from './fake-stream.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-log-'));
after(() => rmSync(folder, { recursive: true }));

function logTo(stderr: FakeStream, level: LogLevel) {
  return createLog({ program: 'worker-1', level, stderr: stderr.asTerminal, environment: { NO_COLOR: '1' } });
}

const messages = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

test('the level is for stderr; the file gets at least info, from when it is opened until it is closed', () => {
  const stderr = new FakeStream(false);
  const log = logTo(stderr, 'warn');
  const file = join(folder, 'logs', 'worker-1.jsonl');
  log.logger.info('early');
  log.toFile(file);
  log.logger.debug('detail');
  log.logger.info({ step: 3 }, 'info');
  log.logger.warn('warning');
  log.close();
  log.logger.error('late');
  assert.deepEqual(messages(stderr.text), ['warning', 'late']);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(messages(text), ['info', 'warning']);
  const line = JSON.parse(text.split('\n')[0] ?? '') as Record<string, unknown>;
  assert.deepEqual([line['program'], line['step'], line['level']], ['worker-1', 3, 30]);
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
});

test('silent is silent on stderr, and debug reaches the file', () => {
  const stderr = new FakeStream(false);
  const silent = logTo(stderr, 'silent');
  silent.logger.fatal('nothing');
  assert.equal(stderr.text, '');

  const file = join(folder, 'debug.jsonl');
  const debug = logTo(stderr, 'debug');
  debug.toFile(file);
  debug.logger.debug('detail');
  debug.close();
  assert.deepEqual(messages(readFileSync(file, 'utf8')), ['detail']);
});

test('a terminal gets lines for people', () => {
  const stderr = new FakeStream(true);
  logTo(stderr, 'info').logger.info('joined as rank 1');
  assert.match(stderr.text, /^\[\d\d:\d\d:\d\d\] INFO: worker-1: joined as rank 1\n$/);
});
