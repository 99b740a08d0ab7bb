import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/core/clock.js';
import { exchangeProtoService } from '../../../src/transport/grpc/definitions.js';
import { ExchangeClients } from '../../../src/transport/grpc/exchange-client.js';
import { beginAnswer, prefixBytes } from '../../../src/transport/grpc/grpc-http2.js';
import { descriptionMessage, partHead } from '../../../src/transport/grpc/state-chunk.js';

const generation = { term: 1, number: 1 };
const request = { what: 'training', step: 1 } as const;
const data = Buffer.from(Float32Array.of(1.5, -2).buffer);

async function workerThatDoes(t: TestContext, answer: (stream: ServerHttp2Stream) => void): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    beginAnswer(stream);
    stream.write(descriptionMessage('{}'));
    stream.write(Buffer.concat([partHead('weights', 0, data.byteLength), data]));
    answer(stream);
  });
  t.after(() => server.close());
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the head of a part and its data are a StateChunk, however far behind in the vector', () => {
  const offset = 5 * 2 ** 32 + 3;
  const message = Buffer.concat([partHead('m', offset, data.byteLength), data]);
  assert.equal(message.readUInt32BE(1), message.byteLength - prefixBytes);
  const { part } = exchangeProtoService.PullState.responseDeserialize(message.subarray(prefixBytes));
  assert.deepEqual(part, { vector: 'm', offset, data });
});

test('a state is whole when its sender says so, and not when its connection ends', async (t) => {
  const clients = new ExchangeClients('run', systemClock);
  t.after(() => clients.close());
  const whole = await workerThatDoes(t, (stream) => stream.end());
  const { vectors } = await clients.pullState(whole, generation, request);
  assert.deepEqual(vectors, [{ name: 'weights', values: Float32Array.of(1.5, -2) }]);

  for (const breakOff of ['stream', 'session'] as const) {
    const broken = await workerThatDoes(t, (stream) =>
      breakOff === 'stream' ? stream.close() : stream.session!.destroy(),
    );
    await assert.rejects(clients.pullState(broken, generation, request), { code: 'STATE_UNAVAILABLE' });
  }
});

test('whoever wants a state no more gets nothing of it any more', async (t) => {
  const clients = new ExchangeClients('run', systemClock);
  const endless = await workerThatDoes(t, () => undefined);
  const abort = new AbortController();
  const sink = { part: () => abort.abort() };
  await assert.rejects(clients.pullStateInto(endless, generation, request, sink, abort.signal), {
    code: 'STATE_UNAVAILABLE',
  });
  const pulling = clients.pullStateInto(endless, generation, request, { part: () => clients.close() });
  await assert.rejects(pulling, { code: 'STATE_UNAVAILABLE' });
});
