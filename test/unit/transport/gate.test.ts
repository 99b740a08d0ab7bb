import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { FromCoordinator } from '../../../src/cluster/session.js';
import { systemClock } from '../../../src/core/clock.js';
import { Authority } from '../../../src/security/authority.js';
import { Enrolment } from '../../../src/security/enrolment.js';
import type { RefusalReason } from '../../../src/core/refusals.js';
import type { Credentials, Identity, Role } from '../../../src/security/identity.js';
import { newKeyPair } from '../../../src/security/secrets.js';
import { formatToken, readToken } from '../../../src/security/token.js';
import { openStream } from '../../../src/transport/grpc/coordinator-client.js';
import { CoordinatorServer } from '../../../src/transport/grpc/coordinator-server.js';
import { ExchangeClients } from '../../../src/transport/grpc/exchange-client.js';
import { ExchangeServer } from '../../../src/transport/grpc/exchange-server.js';
import { enrol, renew } from '../../../src/transport/grpc/gate-client.js';

/** Who is let in by real servers over TLS on loopback, and who is not. */

const place = mkdtempSync(join(tmpdir(), 'lockstep-gate-'));
after(() => rmSync(place, { recursive: true, force: true }));
const nowMs = () => Date.now();
const generation = { term: 1, number: 1 };

let ours: Authority;
let others: Authority;
before(async () => {
  [ours, others] = (await Promise.all(
    ['ours', 'others'].map(async (run) => (await Authority.create(run, 24, nowMs)).authority),
  )) as [Authority, Authority];
});

async function identityOf(
  authority: Authority,
  role: Role,
  hours = 1,
): Promise<Identity & { swap(to: Identity): void }> {
  const { key, publicKey } = newKeyPair();
  const certificate = await authority.issue({ role, name: 'x', publicKey, hours });
  let credentials: Credentials = { ca: authority.certificate, certificate, key };
  const listeners: (() => void)[] = [];
  return {
    current: () => credentials,
    onChange: (listener) => listeners.push(listener),
    swap(to) {
      credentials = to.current();
      for (const listener of listeners) listener();
    },
  };
}

/** A coordinator that welcomes everybody who comes as far as that. */
async function coordinator(t: TestContext, identity?: Identity) {
  const refused: RefusalReason[] = [];
  const joined: string[] = [];
  const options = {
    usedTokensPath: join(place, `used-${Math.trunc(performance.now() * 1000)}`),
    metricsToken: 'm',
    wallTimeMs: nowMs,
  };
  const enrolment = new Enrolment(ours, options);
  const server = new CoordinatorServer(
    'run',
    {
      joined(hello, channel) {
        joined.push(hello.workerId);
        channel.listen({ message: () => undefined, closed: () => undefined });
        channel.send({ kind: 'welcome', runId: 'run', runSpec: '{}', recordedStep: 0, hubPort: 0 });
      },
      readBlob: () => undefined,
    },
    {
      identity: identity ?? (await identityOf(ours, 'coordinator')),
      onRefused: (reason) => refused.push(reason),
      keeper: {
        enrol: (token, name, publicKey) => enrolment.enrol(token, 'worker', name, publicKey),
        renew: (name, publicKey) => enrolment.certify('worker', name, publicKey),
      },
    },
  );
  const port = await server.start({ host: '127.0.0.1', port: 0 });
  t.after(() => server.kill());
  return { address: `127.0.0.1:${port}`, port, refused, joined };
}

/** What the coordinator answers to a Hello, or why there is no answer. */
function hello(address: string, identity: Identity | undefined): Promise<string> {
  return new Promise((resolve) => {
    const channel = openStream(address, identity);
    channel.listen({
      message: (message: FromCoordinator) => {
        resolve(message.kind === 'refused' ? message.message : message.kind);
        channel.close();
      },
      closed: resolve,
    });
    channel.send({
      kind: 'hello',
      protocolVersion: 1,
      numericsVersion: 1,
      workerId: 'anna',
      host: 'h',
      pid: 1,
      metricsAddress: '',
    });
  });
}

describe('the coordinator lets in', () => {
  test('a worker with a certificate of the run', async (t) => {
    const { address, joined, refused } = await coordinator(t);
    assert.equal(await hello(address, await identityOf(ours, 'worker')), 'welcome');
    assert.deepEqual([joined, refused], [['anna'], []]);
  });

  test('a worker that exchanges a token for a certificate, and renews it', async (t) => {
    const { address, joined, refused } = await coordinator(t);
    const { key, publicKey } = newKeyPair();
    const answer = await enrol(address, ours.token('worker', 1, 1), { name: 'anna', publicKey }, systemClock);
    assert.equal(answer.metricsToken, 'm');
    const first: Identity = { current: () => ({ ...answer, key }), onChange: () => undefined };
    assert.equal(await hello(address, first), 'welcome');
    const again = newKeyPair();
    const renewed = await renew(address, first, { name: 'anna', publicKey: again.publicKey }, systemClock);
    const second: Identity = { current: () => ({ ...renewed, key: again.key }), onChange: () => undefined };
    assert.equal(await hello(address, second), 'welcome');
    assert.deepEqual([joined.length, refused], [2, []]);
  });

  test('on with the certificates of now, without being started again', async (t) => {
    const first = await identityOf(ours, 'coordinator');
    const { address } = await coordinator(t, first);
    const worker = await identityOf(others, 'worker');
    assert.notEqual(await hello(address, worker), 'welcome');
    first.swap(await identityOf(others, 'coordinator'));
    assert.equal(await hello(address, worker), 'welcome');
  });
});

describe('the coordinator refuses, before anybody hears of it,', () => {
  const cases: readonly (readonly [string, RefusalReason, () => Promise<Identity | 'none'>, RegExp])[] = [
    [
      "another run's certificate",
      'other-authority',
      async () => ({ ...(await identityOf(others, 'worker')), current: () => stolen }),
      /not one of this run/,
    ],
    ['an expired certificate', 'expired-certificate', () => identityOf(ours, 'worker', -1), /expired/],
    ['a certificate for another role', 'wrong-role', () => identityOf(ours, 'coordinator'), /another role/],
  ];
  let stolen: Credentials;
  before(async () => {
    // It believes our coordinator, and shows what it has from its own run.
    stolen = { ...(await identityOf(others, 'worker')).current(), ca: ours.certificate };
  });
  for (const [name, reason, make, message] of cases)
    test(name, async (t) => {
      const { address, joined, refused } = await coordinator(t);
      assert.match(await hello(address, (await make()) as Identity), message);
      assert.deepEqual([joined, refused], [[], [reason]]);
    });

  test('no certificate', async (t) => {
    const { address, joined, refused } = await coordinator(t);
    const session = connectHttp2(`https://${address}`, { ca: ours.certificate, servername: 'coordinator.lockstep' });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/lockstep.v1.Coordinator/Join',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end();
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    assert.equal(headers['grpc-status'], '16');
    session.destroy();
    assert.deepEqual([joined, refused], [[], ['no-certificate']]);
  });

  test('plain text', async (t) => {
    const { address, port, joined, refused } = await coordinator(t);
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    assert.notEqual(await hello(address, undefined), 'welcome');
    assert.deepEqual(joined, []);
    assert.deepEqual(new Set(refused), new Set(['plain-text']));
  });

  const tokens: readonly (readonly [string, RefusalReason, () => string])[] = [
    ['a wrong token', 'wrong-token', () => formatToken(readToken(ours.token('worker', 1, 1)), Buffer.from('guessed'))],
    ['an expired token', 'expired-token', () => ours.token('worker', 1, -1)],
    [
      'a token of another run',
      'other-run',
      () => formatToken({ ...readToken(ours.token('worker', 1, 1)), run: 'x' }, ours.tokenKey),
    ],
  ];
  for (const [name, reason, make] of tokens)
    test(name, async (t) => {
      const { address, joined, refused } = await coordinator(t);
      await assert.rejects(enrol(address, make(), { name: 'x', publicKey: newKeyPair().publicKey }, systemClock), {
        code: 'NOT_ADMITTED',
      });
      assert.deepEqual([joined, refused], [[], [reason]]);
    });

  test('a replayed token', async (t) => {
    const { address, refused } = await coordinator(t);
    const token = ours.token('worker', 1, 1);
    await enrol(address, token, { name: 'x', publicKey: newKeyPair().publicKey }, systemClock);
    await assert.rejects(
      enrol(address, token, { name: 'x', publicKey: newKeyPair().publicKey }, systemClock),
      /used as often as it may be/,
    );
    assert.deepEqual(refused, ['replayed-token']);
  });
});

test('a worker with a token sends it to nobody but the coordinator that it was made for', async (t) => {
  const { address, refused } = await coordinator(t, await identityOf(others, 'coordinator'));
  const token = ours.token('worker', 1, 1);
  await assert.rejects(enrol(address, token, { name: 'x', publicKey: newKeyPair().publicKey }, systemClock), {
    code: 'OTHER_COORDINATOR',
  });
  assert.deepEqual(refused, []);
});

describe('workers', () => {
  async function worker(t: TestContext, identity: Identity) {
    const refused: RefusalReason[] = [];
    const server = new ExchangeServer('run', () => ({ description: 'here', vectors: [] }), {
      identity,
      onRefused: (r) => refused.push(r),
    });
    const port = await server.start({ host: '127.0.0.1', port: 0 }, true);
    t.after(() => server.stop());
    return { address: `127.0.0.1:${port}`, refused, server };
  }
  const pull = async (t: TestContext, address: string, identity: Identity | undefined): Promise<string> => {
    const clients = new ExchangeClients('run', systemClock, identity);
    t.after(() => clients.close());
    return (await clients.pullState(address, generation, { what: 'training', step: 1 })).description;
  };

  test('give to workers of the run and to its coordinator', async (t) => {
    const { address, refused } = await worker(t, await identityOf(ours, 'worker'));
    for (const role of ['worker', 'coordinator'] as const)
      assert.equal(await pull(t, address, await identityOf(ours, role)), 'here');
    assert.deepEqual(refused, []);
  });

  test('and to nobody else', async (t) => {
    const { address, refused } = await worker(t, await identityOf(ours, 'worker'));
    const stranger = (await identityOf(others, 'worker')).current();
    const strangers = { current: () => ({ ...stranger, ca: ours.certificate }), onChange: () => undefined };
    for (const identity of [strangers, await identityOf(ours, 'worker', -1), undefined])
      await assert.rejects(pull(t, address, identity), { code: 'STATE_UNAVAILABLE' });
    assert.deepEqual(new Set(refused), new Set(['other-authority', 'expired-certificate', 'plain-text']));
  });

  test('believe no worker of another run', async (t) => {
    const { address } = await worker(t, await identityOf(others, 'worker'));
    await assert.rejects(pull(t, address, await identityOf(ours, 'worker')), { code: 'STATE_UNAVAILABLE' });
  });

  test('leave nobody connected when they stop, who greeted them or has yet to', async (t) => {
    const { address, server } = await worker(t, await identityOf(ours, 'worker'));
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    await pull(t, address, await identityOf(ours, 'worker')); //      the listener has taken the one before, too
    server.stop();
    await once(socket.resume(), 'close');
  });

  test('connect with the certificate of now', async (t) => {
    const { address } = await worker(t, await identityOf(ours, 'worker'));
    const identity = await identityOf(ours, 'worker', -1);
    const clients = new ExchangeClients('run', systemClock, identity);
    t.after(() => clients.close());
    await assert.rejects(clients.pullState(address, generation, { what: 'training', step: 1 }));
    identity.swap(await identityOf(ours, 'worker'));
    assert.equal((await clients.pullState(address, generation, { what: 'training', step: 1 })).description, 'here');
  });
});
