import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { before, describe, test, type TestContext } from 'node:test';
import { Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import { examine, type DoctorConfig, type DoctorNeeds } from '../../../src/cli/doctor/examine.js';
import type { Finding } from '../../../src/cli/doctor/finding.js';
import { systemNetwork } from '../../../src/cli/first-reachable.js';
import { systemClock } from '../../../src/core/clock.js';
import { numericsVersion } from '../../../src/core/versions.js';
import { Authority } from '../../../src/security/authority.js';
import type { Credentials, Role } from '../../../src/security/identity.js';
import { newKeyPair } from '../../../src/security/secrets.js';
import { CoordinatorServer } from '../../../src/transport/grpc/coordinator-server.js';
import { doctorService } from '../../../src/transport/grpc/definitions.js';
import { DoctorConnection } from '../../../src/transport/grpc/doctor-client.js';

/** What `lockstep doctor` says of real servers on loopback, good ones and others. */

const hourMs = 3_600_000;
let ours: Authority;
let others: Authority;
before(async () => {
  const make = async (run: string) => (await Authority.create(run, 24, () => Date.now())).authority;
  [ours, others] = [await make('ours'), await make('others')];
});

async function identityOf(authority: Authority, role: Role) {
  const { key, publicKey } = newKeyPair();
  const certificate = await authority.issue({ role, name: 'x', publicKey, hours: 1 });
  const credentials: Credentials = { ca: authority.certificate, certificate, key };
  return { current: () => credentials, onChange: () => undefined, close: () => undefined };
}

async function coordinator(t: TestContext, security?: Authority, role: Role = 'coordinator', clockAheadMs = 0) {
  const server = new CoordinatorServer(
    'run-1',
    { joined: () => assert.fail('the doctor joins no run'), readBlob: () => undefined },
    security && { identity: await identityOf(security, role), onRefused: () => undefined },
    { packageVersion: '1.2.3', wallTimeMs: () => Date.now() + clockAheadMs, clock: systemClock },
  );
  const port = await server.start({ host: '127.0.0.1', port: 0 });
  t.after(() => server.kill());
  return port;
}

async function diagnose(port: number, config: Partial<DoctorConfig> = {}, needs: Partial<DoctorNeeds> = {}) {
  const findings: Finding[] = [];
  const usual = { listen: '127.0.0.1', advertise: undefined, certs: undefined, token: undefined, insecure: false };
  for await (const finding of examine(
    { ...usual, coordinator: [{ host: '127.0.0.1', port }], exchangePort: 0, ...config },
    {
      clock: systemClock,
      wallTimeMs: () => Date.now(),
      network: systemNetwork(systemClock),
      packageVersion: '1.2.3',
      secure: () => Promise.resolve(undefined),
      ...needs,
    },
  ))
    findings.push(finding);
  return findings;
}

const outcomes = (findings: readonly Finding[]) => findings.map(({ check, outcome }) => `${check} ${outcome}`);
const lastOf = (findings: readonly Finding[]) => findings.at(-1)!;
const token = (authority: Authority) => authority.token('worker', 1, 1);

const wholeWay = ['versions', 'clock', 'round trip', 'bandwidth', 'peer port', 'way back'].map(
  (each) => `${each} good`,
);

describe('the doctor', () => {
  test('finds nothing wrong with a coordinator on loopback', async (t) => {
    const findings = await diagnose(await coordinator(t));
    assert.deepEqual(outcomes(findings), ['name good', 'port good', 'tls good', ...wholeWay]);
    const bandwidth = findings.find(({ check }) => check === 'bandwidth')!;
    assert.ok(Number(bandwidth.facts!['bytes']) > 1e6, JSON.stringify(bandwidth));
  });

  test('finds nothing wrong with one behind TLS', async (t) => {
    const port = await coordinator(t, ours);
    const secure = () => identityOf(ours, 'worker');
    const findings = await diagnose(port, { token: token(ours) }, { secure });
    const tls = ['tls', 'chain', 'expiry', 'role', 'own certificate'].map((each) => `${each} good`);
    assert.deepEqual(outcomes(findings), ['name good', 'port good', ...tls, ...wholeWay]);
  });

  test('says what to do where nothing listens, and where a name has no address', async () => {
    const refused = lastOf(await diagnose(1));
    assert.deepEqual([refused.check, refused.outcome], ['port', 'bad']);
    assert.match(refused.says, /127\.0\.0\.1:1: connection refused/);
    assert.match(refused.remedy!, /lockstep coordinator --listen 0\.0\.0\.0 --port 1/);
    const network = {
      addressesOf: (host: string) =>
        host === 'gone' ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(['10.0.0.1']),
      knock: () => Promise.resolve('no answer within 2 s'),
    };
    const hosts = ['gone', 'there'].map((host) => ({ host, port: 7070 }));
    const findings = await diagnose(0, { coordinator: hosts }, { network });
    assert.deepEqual(outcomes(findings), ['name bad', 'name good', 'port bad']);
    assert.match(lastOf(findings).remedy!, /let TCP port 7070 .* in from here/);
  });

  test('tells plain text from TLS, on either side', async (t) => {
    const plain = lastOf(await diagnose(await coordinator(t), { token: token(ours) }));
    assert.deepEqual([plain.check, plain.outcome], ['tls', 'bad']);
    assert.match(plain.says, /it speaks no TLS/);
    const secured = lastOf(await diagnose(await coordinator(t, ours), { insecure: true }));
    assert.deepEqual([secured.check, secured.outcome], ['authority', 'bad']);
    assert.match(secured.remedy!, /--token/);
  });

  test('tells another authority, another role and a certificate that is over', async (t) => {
    const wrong = lastOf(await diagnose(await coordinator(t, others), { token: token(ours) }));
    assert.deepEqual([wrong.check, wrong.outcome], ['chain', 'bad']);
    const role = await diagnose(await coordinator(t, ours, 'worker'), { token: token(ours) });
    assert.deepEqual([lastOf(role).check, lastOf(role).outcome], ['role', 'bad']);
    const port = await coordinator(t, ours);
    for (const [hours, words] of [
      [2, /expired on/],
      [-2, /valid only from/],
    ] as const) {
      const wallTimeMs = () => Date.now() + hours * hourMs;
      const findings = await diagnose(port, { token: token(ours) }, { wallTimeMs });
      const expiry = findings.find(({ check }) => check === 'expiry')!;
      assert.equal(expiry.outcome, 'bad');
      assert.match(expiry.says, words);
      assert.ok(!findings.some(({ check }) => check === 'versions'), 'and goes no further');
    }
  });

  test('says why it is not let in', async (t) => {
    const port = await coordinator(t, ours);
    const findings = await diagnose(port, { token: token(ours) }); //     without a certificate of its own
    assert.equal(lastOf(findings).outcome, 'bad');
  });

  test('compares versions and clocks', async (t) => {
    const other = new Server();
    const answer = {
      packageVersion: '9.9.9',
      protocolVersion: 99,
      numericsVersion,
      runId: 'r',
      wallTimeMs: Date.now(),
    };
    other.addService(doctorService, {
      Greet: (_call: unknown, done: (error: ServiceError | null, value: object) => void) => done(null, answer),
    });
    const port = await new Promise<number>((resolve, reject) =>
      other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    t.after(() => other.forceShutdown());
    const versions = (await diagnose(port)).find(({ check }) => check === 'versions')!;
    assert.equal(versions.outcome, 'bad');
    assert.match(versions.says, /protocol \d+ here and 99 there \(lockstep 1\.2\.3 and 9\.9\.9\)/);

    const newer = await diagnose(await coordinator(t), {}, { packageVersion: '1.3.0' });
    assert.equal(newer.find(({ check }) => check === 'versions')!.outcome, 'note');
    const late = await diagnose(await coordinator(t, undefined, 'coordinator', 2 * hourMs));
    const clock = late.find(({ check }) => check === 'clock')!;
    assert.equal(clock.outcome, 'bad');
    assert.match(clock.says, /\d+ ms behind the coordinator/);
  });

  test('is told by the coordinator why a port is not reached, as often as it asks', async (t) => {
    const connection = new DoctorConnection(`127.0.0.1:${await coordinator(t)}`, systemClock, undefined);
    t.after(() => connection.close());
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    assert.equal(await connection.knock(port), '');
    await new Promise((resolve) => closed.close(resolve));
    for (let i = 0; i < 6; i++) assert.equal(await connection.knock(port), 'ECONNREFUSED');
  });

  test('says when the port for other workers is taken', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    t.after(() => taken.close());
    const exchangePort = (taken.address() as AddressInfo).port;
    const last = lastOf(await diagnose(await coordinator(t), { exchangePort }));
    assert.deepEqual([last.check, last.outcome], ['peer port', 'note']);
  });
});
