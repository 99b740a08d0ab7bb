import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('./bench-with-children.js', import.meta.url));

/** @returns with which code it ended, when its child had, too: only then is the pipe closed that both have */
async function endOf(signal: NodeJS.Signals | undefined): Promise<number | null> {
  const more = signal === undefined ? ['fails'] : [];
  const running = spawn(process.execPath, [bench, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(running, 'close') as Promise<[number | null]>;
  const [folder] = (await once(createInterface({ input: running.stdout }), 'line')) as [string];
  if (signal !== undefined) running.kill(signal);
  const [code] = await closed;
  assert.ok(!existsSync(folder));
  return code;
}

test('a benchmark that is told to end takes its processes and folders with it', async () => {
  assert.equal(await endOf('SIGTERM'), 143);
  assert.equal(await endOf('SIGINT'), 130);
});

test('so does one that fails', async () => {
  assert.equal(await endOf(undefined), 1);
});
