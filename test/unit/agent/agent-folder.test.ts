import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { AgentFolder, usualFolder } from '../../../src/agent/agent-folder.js';

let home = '';
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'lockstep-agent-folder-'))));
afterEach(() => rmSync(home, { recursive: true }));

test('hosts that share a home have folders of their own in it', async () => {
  const paths = ['anna.example', 'bert.example'].map((host) => usualFolder({ HOME: home }, host));
  assert.equal(paths[0], join(home, '.local/state/lockstep/agent/anna.example'));
  const folders = await Promise.all(paths.map((path) => AgentFolder.take(path)));
  assert.notEqual(folders[0]!.instance(randomUUID), folders[1]!.instance(randomUUID));
  assert.equal(usualFolder({ HOME: home, XDG_STATE_HOME: '/state' }, 'anna'), '/state/lockstep/agent/anna');
});

test('a folder has one agent at a time, and whoever is next is the same agent', async () => {
  const first = await AgentFolder.take(home);
  const instance = first.instance(randomUUID);
  assert.equal(readFileSync(join(home, 'agent.pid'), 'utf8'), String(process.pid));
  await assert.rejects(AgentFolder.take(home), {
    code: 'AGENT_RUNS',
    message: new RegExp(`process ${process.pid} on`),
  });
  await first.release();
  assert.equal((await AgentFolder.take(home)).instance(randomUUID), instance);
});

test('a folder that the agent of another host has is refused, since nothing is known of processes there', async () => {
  writeFileSync(join(home, 'lock.1'), JSON.stringify({ pid: process.pid, host: 'elsewhere', birth: '' }));
  await assert.rejects(AgentFolder.take(home), { code: 'AGENT_RUNS', message: /process \d+ on elsewhere .*lock\.1/ });
});
