import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Authority } from '../../../src/security/authority.js';
import { Enrolment } from '../../../src/security/enrolment.js';
import { CertificateFolder } from '../../../src/security/folder.js';
import { FolderIdentity, issuedIdentity } from '../../../src/security/identities.js';
import { certificateName } from '../../../src/security/identity.js';
import { newKeyPair } from '../../../src/security/secrets.js';
import { formatToken, readToken } from '../../../src/security/token.js';
import { FakeClock } from '../fake-clock.js';

const place = mkdtempSync(join(tmpdir(), 'lockstep-security-'));
after(() => rmSync(place, { recursive: true, force: true }));
const startMs = Date.parse('2026-03-01T12:00:00Z');
const wallTimeMs = () => startMs;
const log = { info: () => undefined, warn: () => undefined };
const hourMs = 3_600_000;

describe('an authority', () => {
  test('certifies a role, for a time, under its own name', async () => {
    const { authority } = await Authority.create('mnist', 48, wallTimeMs);
    const { publicKey } = newKeyPair();
    const pem = await authority.issue({ role: 'worker', name: 'anna', publicKey, hours: 24 });
    const own = new X509Certificate(authority.certificate);
    const leaf = new X509Certificate(pem);
    assert.ok(own.ca && leaf.checkIssued(own) && leaf.verify(own.publicKey));
    assert.equal(leaf.ca, false);
    assert.ok(leaf.checkHost(certificateName('worker')));
    assert.equal(leaf.checkHost(certificateName('coordinator')), undefined);
    assert.equal(Date.parse(leaf.validTo), startMs + 24 * hourMs);
    assert.match(leaf.subject, /CN=anna\nO=mnist\nOU=worker/);
    const long = new X509Certificate(await authority.issue({ role: 'worker', name: 'x', publicKey, hours: 1000 }));
    assert.equal(Date.parse(long.validTo), startMs + 48 * hourMs, 'no longer than the authority itself');
  });

  test('takes only keys of the curve that it knows', async () => {
    const { authority } = await Authority.create('mnist', 48, wallTimeMs);
    await assert.rejects(authority.issue({ role: 'worker', name: 'x', publicKey: Buffer.from('no key'), hours: 1 }));
  });
});

describe('a folder', () => {
  test('keeps an authority, with its secrets for its owner alone', async () => {
    const folder = await CertificateFolder.init(join(place, 'kept'), 'mnist', 24, wallTimeMs);
    assert.equal(folder.authority(wallTimeMs).run, 'mnist');
    for (const name of ['ca.key', 'metrics-token'])
      assert.equal(statSync(join(folder.path, name)).mode & 0o077, 0, name);
    await assert.rejects(CertificateFolder.init(folder.path, 'mnist', 24, wallTimeMs), { code: 'CERTS_EXIST' });
  });

  test('says what is wrong with it', async () => {
    const source = await CertificateFolder.init(join(place, 'source'), 'mnist', 24, wallTimeMs);
    const authority = source.authority(wallTimeMs);
    const { key, publicKey } = newKeyPair();
    const certificate = await authority.issue({ role: 'worker', name: 'anna', publicKey, hours: 1 });
    const folder = new CertificateFolder(join(place, 'broken'));
    assert.throws(() => folder.credentials('worker'), { code: 'CERTS_UNREADABLE' });
    assert.throws(() => folder.authority(wallTimeMs), { code: 'NO_AUTHORITY' });
    await folder.store({ ca: authority.certificate, certificate, key }, undefined);
    assert.equal(folder.credentials('worker').key, key);
    assert.deepEqual(folder.holder(), { role: 'worker', name: 'anna' });
    assert.throws(() => folder.credentials('coordinator'), /is not for the role coordinator/);
    writeFileSync(join(folder.path, 'key.pem'), newKeyPair().key);
    assert.throws(() => folder.credentials('worker'), /key\.pem is not its key/);
    writeFileSync(join(source.path, 'ca.key'), newKeyPair().key);
    assert.throws(() => source.authority(wallTimeMs), /it is not the key of ca\.pem/);
  });
});

describe('enrolment', () => {
  async function counter(name: string) {
    const { authority } = await Authority.create('mnist', 24, wallTimeMs);
    const options = { usedTokensPath: join(place, name), metricsToken: 'seen', wallTimeMs };
    return { authority, options, enrolment: new Enrolment(authority, options) };
  }

  test('a token counts for as many keys as it says, across restarts, and for each of them again', async () => {
    const { authority, options, enrolment } = await counter('used');
    const token = authority.token('worker', 2, 1);
    const [a, b, c] = [newKeyPair(), newKeyPair(), newKeyPair()].map(({ publicKey }) => publicKey) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    for (const key of [a, a, b]) {
      const enrolled = await enrolment.enrol(token, 'worker', 'x', key);
      assert.ok(typeof enrolled === 'object' && enrolled.metricsToken === 'seen');
    }
    assert.equal(await enrolment.enrol(token, 'worker', 'x', c), 'replayed-token');
    const restarted = new Enrolment(authority, options);
    assert.equal(await restarted.enrol(token, 'worker', 'x', c), 'replayed-token');
    assert.equal(typeof (await restarted.enrol(token, 'worker', 'x', b)), 'object');
    assert.equal(readFileSync(options.usedTokensPath, 'utf8').trim().split('\n').length, 2);
  });

  test('a key that is none uses nothing up', async () => {
    const { authority, enrolment } = await counter('none');
    const token = authority.token('worker', 1, 1);
    await assert.rejects(enrolment.enrol(token, 'worker', 'x', Buffer.from('no key')));
    assert.equal(typeof (await enrolment.enrol(token, 'worker', 'x', newKeyPair().publicKey)), 'object');
  });

  test('tokens of another authority and of another time are refused', async () => {
    const { authority, enrolment } = await counter('refused');
    const { authority: other } = await Authority.create('mnist', 24, wallTimeMs);
    const { publicKey } = newKeyPair();
    assert.equal(await enrolment.enrol(other.token('worker', 1, 1), 'worker', 'x', publicKey), 'wrong-token');
    const claims = readToken(authority.token('worker', 1, 1));
    const old = formatToken({ ...claims, expires: startMs / 1000 }, authority.tokenKey);
    assert.equal(await enrolment.enrol(old, 'worker', 'x', publicKey), 'expired-token');
    const foreign = formatToken({ ...claims, run: 'cifar' }, authority.tokenKey);
    assert.equal(await enrolment.enrol(foreign, 'worker', 'x', publicKey), 'other-run');
  });
});

describe('an identity', () => {
  test('of a folder follows what is put there, and keeps what it has while that does not fit', async () => {
    const source = await CertificateFolder.init(join(place, 'followed'), 'mnist', 24, wallTimeMs);
    const authority = source.authority(wallTimeMs);
    const folder = new CertificateFolder(join(place, 'follower'));
    const put = async (): Promise<string> => {
      const { key, publicKey } = newKeyPair();
      const certificate = await authority.issue({ role: 'worker', name: 'anna', publicKey, hours: 1 });
      await folder.store({ ca: authority.certificate, certificate, key }, undefined);
      return key;
    };
    const first = await put();
    const clock = new FakeClock();
    const warnings: string[] = [];
    const identity = new FolderIdentity(folder, 'worker', {
      clock,
      wallTimeMs,
      log: { ...log, warn: (text) => warnings.push(text) },
    });
    let changes = 0;
    identity.onChange(() => (changes += 1));
    clock.advance(10_000);
    assert.deepEqual([identity.current().key, changes], [first, 0]);
    writeFileSync(join(folder.path, 'key.pem'), newKeyPair().key);
    clock.advance(2_000);
    assert.deepEqual([identity.current().key, changes], [first, 0]);
    assert.match(warnings.join(), /keeps its certificate: .*key\.pem is not its key/);
    const second = await put();
    clock.advance(2_000);
    assert.deepEqual([identity.current().key, changes], [second, 1]);
    identity.close();
    assert.equal(clock.pendingTimers, 0);
  });

  test('that we give ourselves is renewed after two thirds of its time', async () => {
    const { authority } = await Authority.create('mnist', 240, wallTimeMs);
    const clock = new FakeClock();
    const identity = await issuedIdentity(
      authority,
      { role: 'worker', name: 'anna', hours: 24 },
      { clock, wallTimeMs, log },
    );
    const { key } = identity.current();
    const changed = new Promise<void>((resolve) => identity.onChange(resolve));
    clock.advance(15.9 * hourMs);
    assert.equal(identity.current().key, key);
    clock.advance(0.2 * hourMs);
    await changed;
    assert.notEqual(identity.current().key, key);
    identity.close();
  });
});
