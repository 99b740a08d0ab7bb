import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { AgentName } from '../../../src/agent/agent-name.js';
import type { NodeRecord } from '../../../src/transport/nats/run-ledger.js';

let [there, revision]: [NodeRecord | undefined, number] = [undefined, 0];
beforeEach(() => (there = undefined));
const nodes = {
  get: (key: string) => Promise.resolve(there && { key, value: there, revision }),
  put: (_key: string, value: NodeRecord) => {
    [there, revision] = [value, revision + 1];
    return Promise.resolve();
  },
};
const agent = (instance: string, host = 'here') => ({ instance, host, slots: [] });
const name = () => new AgentName(nodes, 'anna');

test('the successor of an agent has its name at once', async () => {
  assert.ok(await name().keep(agent('a')));
  assert.ok(await name().keep(agent('a')));
});

test('anybody else has it when what the dead one announced has run out', async () => {
  await name().keep(agent('a'));
  const other = name();
  assert.equal(await other.keep(agent('b')), false);
  assert.equal(other.isOurs, false);
  there = undefined;
  assert.ok(await other.keep(agent('b')));
  assert.ok(other.isOurs);
});

test('one that lives is not hidden, on another host with the same files neither', async () => {
  for (const second of [agent('b'), agent('a', 'elsewhere')]) {
    there = undefined;
    const first = name();
    await first.keep(agent('a'));
    const other = name();
    assert.equal(await other.keep(second), false);
    await first.keep(agent('a'));
    await assert.rejects(other.keep(second), /an agent anna is there already, on here/);
  }
});

test('one whose name somebody took while NATS was away ends', async () => {
  const first = name();
  await first.keep(agent('a'));
  there = undefined;
  await name().keep(agent('b', 'there'));
  await assert.rejects(first.keep(agent('a')), /an agent anna is there already, on there/);
});
