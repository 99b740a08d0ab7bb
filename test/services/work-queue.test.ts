import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connectNats, type NatsConnection } from '../../src/transport/nats/connection.js';
import { WorkQueue } from '../../src/transport/nats/work-queue.js';
import { natsMissing, NatsServer } from '../e2e/nats-server.js';

/** The queue of runs in a real NATS server. */

const server = new NatsServer();
const connections: NatsConnection[] = [];
after(async () => {
  for (const connection of connections) await connection.close();
  await server.close();
});

async function openQueue(): Promise<WorkQueue> {
  const silent = { info: () => undefined, warn: () => undefined };
  const connection = await connectNats({ url: server.url }, 'test', { log: silent });
  connections.push(connection);
  return WorkQueue.open(connection);
}

test(
  'a run has one place, whoever puts it there and how often, until it is over',
  { skip: natsMissing() },
  async () => {
    await server.start();
    const [anna, bert] = [await openQueue(), await openQueue()];
    await Promise.all([anna, bert, anna, bert].map((each) => each.put('one')));
    const charge = await anna.next();
    assert.equal(charge?.run, 'one');
    await bert.put('one');
    assert.equal(await bert.next(), undefined, 'somebody has charge of it');
    charge.done();
    await anna.put('two');
    assert.equal((await bert.next())?.run, 'two');
    await bert.put('one');
    assert.equal((await anna.next())?.run, 'one', 'another run of that name, later');
  },
);
