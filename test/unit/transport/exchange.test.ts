import assert from 'node:assert/strict';
import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Abandoned } from '../../../src/collective/faults.js';
import type { Begin, Generation } from '../../../src/cluster/messages.js';
import { systemClock } from '../../../src/core/clock.js';
import { Authority } from '../../../src/security/authority.js';
import { issuedIdentity } from '../../../src/security/identities.js';
import type { Identity } from '../../../src/security/identity.js';
import { credentials, makeClientConstructor } from '@grpc/grpc-js';
import { exchangeProtoService } from '../../../src/transport/grpc/definitions.js';
import { ExchangeClients } from '../../../src/transport/grpc/exchange-client.js';
import { ExchangeServer, type StateRequest, type StateSnapshot } from '../../../src/transport/grpc/exchange-server.js';
import type { ExchangeClient } from '../../../src/transport/grpc/generated/lockstep/v1/Exchange.js';
import type { Frame__Output } from '../../../src/transport/grpc/generated/lockstep/v1/Frame.js';
import { peerSocketPath } from '../../../src/transport/grpc/host-socket.js';
import { GrpcLink } from '../../../src/transport/grpc/grpc-link.js';
import { sumOver, treeSum } from '../collective/sums.js';

/** Real gRPC over loopback inside one process. */
async function startPeers(
  t: TestContext,
  worldSize: number,
  readState: (r: StateRequest) => StateSnapshot | string = () => 'nothing here',
  identity?: Identity,
) {
  const security = identity && { identity, onRefused: () => assert.fail('refused one of its own') };
  const peers = [];
  for (let i = 0; i < worldSize; i++) {
    const server = new ExchangeServer('run', readState, security);
    const port = await server.start({ host: '127.0.0.1', port: 0 }, true);
    const clients = new ExchangeClients('run', systemClock, identity);
    t.after(() => {
      clients.close();
      server.stop();
    });
    peers.push({ server, clients, address: `127.0.0.1:${port}` });
  }
  return peers;
}

type Peer = Awaited<ReturnType<typeof startPeers>>[number];

function begin(peers: readonly Peer[], generation: Generation): Begin {
  const members = peers.map(({ address }, i) => ({ workerId: `w${i}`, address }));
  return { kind: 'begin', generation, members, shares: peers.map(() => 1), donor: 0, afterStep: 0, lastStep: 9 };
}

function openLink(
  peer: Peer,
  rank: number,
  b: Begin,
  peerGone: (rank: number) => void = () => undefined,
  checksum = false,
): GrpcLink {
  const options = { rank, runId: 'run', begin: b, checksum, clock: systemClock };
  const link = new GrpcLink(options, { peerGone, violated: (error) => assert.fail(error) });
  peer.server.begin(b.generation, link);
  link.open((address, events) => peer.clients.pull(address, b.generation, rank, events));
  return link;
}

async function sumOverAll(links: readonly GrpcLink[], step: number, length = 1000): Promise<readonly Float32Array[]> {
  const { worldSize } = links[0]!;
  const shares = new Array<number>(worldSize).fill(1);
  const sums = await sumOver(links, { topology: 'mesh', length, count: worldSize, shares, firstStep: step });
  return sums.map(({ sum }) => sum);
}

test('ranks that learn of a generation at different times sum over gRPC', async (t) => {
  const peers = await startPeers(t, 3);
  const b = begin(peers, { term: 1, number: 1 });
  const links = [openLink(peers[0]!, 0, b)];
  const first = sumOverAllLater();
  await new Promise((resolve) => setImmediate(resolve)); //          rank 0 has called the others, who know nothing yet
  links.push(openLink(peers[1]!, 1, b), openLink(peers[2]!, 2, b));
  first.go();
  for (const sum of await first.sums) assert.deepEqual(sum, treeSum(3, 1000));
  for (const sum of await sumOverAll(links, 2, 300_000)) assert.deepEqual(sum, treeSum(3, 300_000));
  assert.ok(links[0]!.sentBytes > 0 && links[0]!.receivedBytes > 0);
  for (const link of links) link.close('test over');

  function sumOverAllLater() {
    let go!: () => void;
    const gate = new Promise<void>((resolve) => (go = resolve));
    return { go, sums: gate.then(() => sumOverAll(links, 1)) };
  }
});

test('over TLS the same sums', async (t) => {
  const { authority } = await Authority.create('run', 1, () => Date.now());
  const holder = { role: 'worker', name: 'x', hours: 1 } as const;
  const log = { info: () => undefined, warn: () => undefined };
  const identity = await issuedIdentity(authority, holder, { clock: systemClock, wallTimeMs: () => Date.now(), log });
  t.after(() => identity.close());
  const peers = await startPeers(t, 3, undefined, identity);
  const b = begin(peers, { term: 1, number: 1 });
  const links = peers.map((peer, rank) => openLink(peer, rank, b));
  for (const sum of await sumOverAll(links, 1, 300_000)) assert.deepEqual(sum, treeSum(3, 300_000));
  for (const link of links) link.close('test over');
});

test('an older generation, another run and an unknown rank are refused by name', async (t) => {
  const peers = await startPeers(t, 2);
  const b = begin(peers, { term: 1, number: 5 });
  const link = openLink(peers[0]!, 0, b);
  const outcome = (generation: Generation, rank: number, clients = peers[1]!.clients) =>
    new Promise<string>((resolve) => {
      const message = (): void => resolve('data');
      const failed = (error: Error): void => resolve(error.message);
      clients.pull(peers[0]!.address, generation, rank, { message, failed, ended: resolve });
    });
  assert.match(await outcome({ term: 1, number: 4 }, 1), /STALE_GENERATION: 1\.4 is over/);
  assert.match(await outcome({ term: 1, number: 5 }, 7), /no rank 7/);
  const strangers = new ExchangeClients('another run', systemClock);
  t.after(() => strangers.close());
  assert.match(await outcome({ term: 1, number: 5 }, 1, strangers), /STALE_RUN/);
  link.close('test over');
});

test('closing a link frees whoever waits, and the peer sees that the stream is gone', async (t) => {
  const peers = await startPeers(t, 2);
  const b = begin(peers, { term: 1, number: 1 });
  let seeGone!: (rank: number) => void;
  const gone = new Promise<number>((resolve) => (seeGone = resolve));
  const links = [openLink(peers[0]!, 0, b), openLink(peers[1]!, 1, b, seeGone)];
  await sumOverAll(links, 1);
  const waiting = sumOverAll([links[0]!], 2);
  links[0]!.close('membership is changing');
  await assert.rejects(waiting, Abandoned);
  assert.equal(await gone, 0);
  links[1]!.close('test over');
});

test('workers of one host meet at a socket, and at the address where it is not there any more', async (t) => {
  const peers = await startPeers(t, 2);
  for (const { server, address } of peers) await server.startForHost(address);
  const paths = peers.map(({ address }) => peerSocketPath('run', address)!);
  assert.ok(paths.every((path) => lstatSync(path).isSocket()));
  assert.equal(peerSocketPath('another run', peers[0]!.address), undefined);
  rmSync(paths[0]!);
  writeFileSync(`${paths[0]!}.notes`, ''); //                         a file that is no socket is left alone
  t.after(() => rmSync(`${paths[0]!}.notes`));
  const b = begin(peers, { term: 1, number: 1 });
  const links = [openLink(peers[0]!, 0, b), openLink(peers[1]!, 1, b)];
  for (const sum of await sumOverAll(links, 1)) assert.deepEqual(sum, treeSum(2, 1000));
  for (const link of links) link.close('test over');
  peers[1]!.server.stop();
  await new Promise(setImmediate);
  assert.equal(peerSocketPath('run', peers[1]!.address), undefined, 'the file is gone with its worker');
});

test('any gRPC client can pull frames', async (t) => {
  const peers = await startPeers(t, 2);
  const b = begin(peers, { term: 1, number: 1 });
  const link = new GrpcLink(
    { rank: 0, runId: 'run', begin: b, checksum: true, clock: systemClock },
    { peerGone: () => undefined, violated: (error) => assert.fail(error) },
  );
  peers[0]!.server.begin(b.generation, link);
  const Client = makeClientConstructor(exchangeProtoService, 'lockstep.v1.Exchange');
  const client = new Client(peers[0]!.address, credentials.createInsecure()) as unknown as ExchangeClient;
  t.after(() => client.close());
  const call = client.pull({ runId: 'run', term: 1, generation: 1, rank: 1 });
  const received = new Promise<Frame__Output>((resolve, reject) => call.on('data', resolve).on('error', reject));
  const round = { generation: 1, step: 3, purpose: 'gradient' } as const;
  await link.send(1, { kind: 'sum', round, slice: 2, node: 0, payload: new Uint8Array(300_000).fill(9) });
  const { kind, step, slice, payload } = await received;
  assert.deepEqual([kind, step, slice, payload.length, payload[299_999]], [2, 3, 2, 300_000, 9]);
  const ended = new Promise((resolve) => call.on('end', resolve));
  link.close('test over');
  await ended;
});

test('a state travels whole, in chunks, and what is not here is named', async (t) => {
  const weights = Float32Array.from({ length: 700_001 }, (_, i) => i / 7);
  const [peer] = await startPeers(t, 1, ({ what, step }) =>
    step === 3
      ? { description: `{"what":"${what}"}`, vectors: [{ name: 'weights', values: weights }] }
      : `the state here is of step 3, not ${step}`,
  );
  const generation = { term: 1, number: 1 };
  const snapshot = await peer!.clients.pullState(peer!.address, generation, { what: 'best', step: 3 });
  assert.equal(snapshot.description, '{"what":"best"}');
  assert.deepEqual(snapshot.vectors[0]!.values, weights);
  await assert.rejects(peer!.clients.pullState(peer!.address, generation, { what: 'training', step: 4 }), {
    code: 'STATE_UNAVAILABLE',
    message: /step 4 .* of step 3, not 4/,
  });
});
