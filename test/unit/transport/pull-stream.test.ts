import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { after, test } from 'node:test';
import { PullStream } from '../../../src/transport/grpc/pull-stream.js';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());
const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

test('a stream may be closed at the moment at which its connection is there, as by a Seal', async () => {
  const closed = new Promise<PullStream>((resolve) => {
    const onSocket = (message: unknown): void => {
      unsubscribe('net.client.socket', onSocket);
      // The session is set up and has not said so yet: node does in the tick after this one.
      const { socket } = message as { readonly socket: Socket };
      socket.once('connect', () =>
        process.nextTick(() => {
          pull.close();
          resolve(pull);
        }),
      );
    };
    subscribe('net.client.socket', onSocket);
  });
  const unexpected = (): void => assert.fail('nothing is told of a stream that was closed here');
  const events = { message: unexpected, failed: unexpected, ended: unexpected };
  const pull = new PullStream({ address, path: '/lockstep.v1.Exchange/Pull', request: Buffer.of() }, events);
  await closed;
  await new Promise((resolve) => setImmediate(resolve)); //           what throws by then ends the process, and fails the test
});
