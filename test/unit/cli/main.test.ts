import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { commands } from '../../../src/config/field.js';
import { factsOf, fieldNames, hasField } from '../../../src/config/sources.js';
import { FakeStream } from './fake-stream.js';

async function lockstep(words: string, env: NodeJS.ProcessEnv = {}) {
  const [stdout, stderr] = [new FakeStream(false), new FakeStream(false)];
  const streams = { stdout: stdout.asTerminal, stderr: stderr.asTerminal, env };
  const exitCode = await main(words.split(' ').filter(Boolean), streams as Parameters<typeof main>[1]);
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

describe('help', () => {
  test('without anything, and --help', async () => {
    for (const words of ['', '--help', '-h', 'help']) {
      const { exitCode, stdout, stderr } = await lockstep(words);
      assert.equal(exitCode, 0, words);
      assert.equal(stderr, '');
      for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
    }
  });

  test('each command shows all of its flags with their defaults, under headings, and no other', async () => {
    for (const command of commands) {
      const { stdout } = await lockstep(`help ${command}`);
      assert.equal(stdout, (await lockstep(`${command} --help`)).stdout);
      const joined = stdout.replace(/\s+/g, ' ');
      for (const name of fieldNames) {
        const { flag, group } = factsOf(name);
        const shown = new RegExp(`^  --${flag}[ \n]`, 'm').test(stdout);
        assert.equal(shown, hasField(command, name), `${command} --${flag}`);
        if (shown) assert.match(stdout, new RegExp(`^${group}:$`, 'm'));
      }
      assert.match(joined, command === 'worker' ? /\(required\)/ : /\(default: 256\)/);
      assert.ok(
        Math.max(...stdout.split('\n').map((line) => line.length)) <= 80,
        `${command} --help is wider than 80 columns`,
      );
      assert.ok(!stdout.includes('`lockstep`') && !stdout.includes('undefined'));
    }
  });

  test('one error by its code, in whatever case', async () => {
    for (const topic of ['PORT_IN_USE', 'port_in_use']) {
      const { exitCode, stdout } = await lockstep(`help ${topic}`);
      assert.equal(exitCode, 0);
      assert.match(stdout, /^PORT_IN_USE \(exit 1\)\n {2}.+\n {2}Remedy: .+\.\n$/);
    }
  });

  test('the version', async () => assert.match((await lockstep('--version')).stdout, /^\d+\.\d+\.\d+\n$/));
});

describe('wrong usage: one line that names the value, a remedy, exit code 2', () => {
  const cases: readonly [string, string, RegExp][] = [
    ['train --workrs 3', 'UNKNOWN_FLAG', /unknown flag --workrs, did you mean --workers\?/],
    ['train --workrs=3', 'UNKNOWN_FLAG', /unknown flag --workrs, did you mean --workers\?/],
    ['train -x', 'UNKNOWN_FLAG', /unknown flag -x/],
    ['--wat', 'UNKNOWN_FLAG', /unknown flag --wat/],
    ['--workers 3', 'COMMAND_MISSING', /--workers stands where a command/],
    [
      'worker --steps 3',
      'FLAG_OF_ANOTHER_COMMAND',
      /lockstep worker has no --steps: it belongs to lockstep train and lockstep coordinator/,
    ],
    ['train --coordinator a:1', 'FLAG_OF_ANOTHER_COMMAND', /it belongs to lockstep worker/],
    ['worker --no-drop-last', 'FLAG_OF_ANOTHER_COMMAND', /worker has no --no-drop-last/],
    ['train --lr', 'MISSING_VALUE', /--lr RATE is missing/],
    ['train --config', 'MISSING_VALUE', /--config FILE is missing/],
    ['train --lr -1', 'BAD_VALUE', /--lr -1: /],
    ['train 3', 'EXCESS_ARGUMENT', /lockstep train does not know what to do with 3/],
    ['cache list foo', 'EXCESS_ARGUMENT', /lockstep cache list does not know what to do with foo/],
    ['trian', 'UNKNOWN_COMMAND', /unknown command trian, did you mean train\?/],
    ['help erors', 'UNKNOWN_COMMAND', /did you mean errors\?/],
    ['help PORT_IN_USED', 'UNKNOWN_COMMAND', /did you mean PORT_IN_USE\?/],
    ['worker', 'MISSING_VALUE', /--coordinator HOST:PORT is missing/],
  ];
  for (const [words, code, message] of cases) {
    test(words, async () => {
      const { exitCode, stdout, stderr } = await lockstep(words);
      assert.equal(exitCode, 2);
      assert.equal(stdout, '');
      const lines = stderr.split('\n');
      assert.equal(lines.length, 3, stderr);
      assert.match(lines[0] ?? '', message);
      assert.match(lines[0] ?? '', new RegExp(`^error: .* \\[${code}\\]$`));
      assert.match(lines[1] ?? '', /^remedy: ./);
    });
  }

  test('a flag given twice: the last one counts, as in other programs', async () => {
    assert.match((await lockstep('train --lr 1 --lr zero')).stderr, /--lr zero/);
  });

  test('with --json, or its variable, the error is also a line on stdout', async () => {
    for (const { stdout, stderr } of [
      await lockstep('train --json --seed -1'),
      await lockstep('train --seed -1', { LOCKSTEP_JSON: 'true' }),
    ]) {
      const line = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(Object.keys(line), ['schema', 'type', 'code', 'message', 'remedy']);
      assert.deepEqual([line['schema'], line['type'], line['code']], [1, 'error', 'BAD_VALUE']);
      assert.ok(stderr.includes(String(line['message'])));
    }
  });
});
