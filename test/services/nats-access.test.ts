import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { after, test, type TestContext } from 'node:test';
import { IP, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { nkeys as untyped } from 'nats';
import { processesWith, runToEnd, start, workshop } from '../e2e/lockstep.js';
import { natsMissing, NatsServer } from '../e2e/nats-server.js';

/** NATS servers that do not let everybody in: each way in which they know a client, and the TLS that it goes through. */

const skip = natsMissing();
const place = workshop({ after });
const data = place.smallDataset();

interface KeyPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}
/** The client's own, whose types it does not bring along. */
const nkeys = untyped as Readonly<Record<'createUser' | 'createAccount' | 'createOperator', () => KeyPair>>;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function serverWith(t: TestContext, config: string): Promise<NatsServer> {
  const server = new NatsServer();
  t.after(() => server.close());
  await server.start(config);
  return server;
}

function file(name: string, text: string): string {
  writeFileSync(place.path(name), text, { mode: 0o600 });
  return place.path(name);
}

const runs = (url: string, ...more: readonly string[]) => runToEnd(['runs', '--nats', url, ...more], place.folder);

test('a user with a password, and one with an nkey, are let in, and nobody else', { skip }, async (t) => {
  const user = nkeys.createUser();
  const users = `users: [ { user: anna, password: "s3cret" }, { nkey: ${user.getPublicKey()} } ]`;
  const { url } = await serverWith(t, `authorization { ${users} }`);
  const seed = file('seed.nk', `# of lockstep\n${textOf(user.getSeed())}\n`);
  for (const credentials of [file('anna', 'anna:s3cret\n'), seed]) {
    const { code, stderr } = await runs(url, '--nats-creds', credentials);
    assert.equal(code, 0, stderr);
  }
  const inVariable = await runToEnd(['runs'], place.folder, { LOCKSTEP_NATS: url, LOCKSTEP_NATS_CREDS: seed });
  assert.equal(inVariable.code, 0, inVariable.stderr);

  const stranger = file('stranger.nk', textOf(nkeys.createUser().getSeed()));
  for (const more of [[], ['--nats-creds', file('wrong', 'anna:guess')], ['--nats-creds', stranger]]) {
    const { code, stderr } = await runs(url, ...more);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /refuses us .*NATS_REFUSED\]\nremedy: give --nats-creds/);
  }
  for (const [path, words] of [
    [file('empty', 'nothing'), /neither a \.creds file/],
    [place.path('nowhere'), /ENOENT/],
  ] as const) {
    const { code, stderr } = await runs(url, '--nats-creds', path);
    assert.equal(code, 2);
    assert.match(stderr, words);
    assert.match(stderr, /NATS_ACCESS_UNREADABLE/);
  }
});

/** A token as NATS signs them: base64url, Ed25519 by the issuer's nkey. */
function jwt(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { jti: name, iat: 1_700_000_000, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name };
  const signed = `${encode({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encode({ ...claims, nats: { ...nats, version: 2 } })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

test('a .creds file of an operator is taken', { skip }, async (t) => {
  const [operator, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const user = nkeys.createUser();
  const any = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const limits = { ...any, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accounts = [
    [account, jwt(operator, account, 'lockstep', { type: 'account', limits })],
    [system, jwt(operator, system, 'SYS', { type: 'account', limits: any })],
  ] as const;
  const { url } = await serverWith(
    t,
    `operator: ${jwt(operator, operator, 'op', { type: 'operator', system_account: system.getPublicKey() })}
     resolver: MEMORY
     resolver_preload: { ${accounts.map(([key, token]) => `${key.getPublicKey()}: ${token}`).join(', ')} }`,
  );
  const token = jwt(account, user, 'anna', { type: 'user', subs: -1, data: -1, payload: -1 });
  const seed = textOf(user.getSeed());
  const dashes = (word: string, inside: string) => `-----BEGIN ${word}-----\n${inside}\n------END ${word}------\n`;
  const creds = file('anna.creds', `${dashes('NATS USER JWT', token)}\n${dashes('USER NKEY SEED', seed)}`);
  const { code, stderr } = await runs(url, '--nats-creds', creds);
  assert.equal(code, 0, stderr);
  assert.equal((await runs(url)).code, 2);
});

test('a run goes through a server with TLS and a password: agent and programs show both', { skip }, async (t) => {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=nats',
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new SubjectAlternativeNameExtension([{ type: IP, value: '127.0.0.1' }])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const [ca, keyPath] = [
    file('ca.pem', certificate.toString('pem')),
    file('key.pem', `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`),
  ];
  const server = await serverWith(
    t,
    `authorization { user: anna, password: "s3cret" }
     tls { cert_file: "${ca}", key_file: "${keyPath}" }`,
  );
  const unknown = await runs(server.url, '--nats-creds', file('anna', 'anna:s3cret'));
  assert.equal(unknown.code, 3, unknown.stderr);
  assert.match(unknown.stderr, /certificate.*NATS_UNREACHABLE/);
  // Relative, as people give them; the programs run elsewhere.
  const access = ['--nats', server.url, '--nats-creds', 'anna', '--nats-ca', 'ca.pem'];
  const agent = start(['agent', ...access, '--name', 'anna', '--dir', place.path('agent')], place.folder);
  t.after(() => {
    agent.child.kill('SIGKILL');
    const all = process.platform === 'linux' ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
    for (const pid of processesWith(place.folder, all)) process.kill(Number(pid), 'SIGKILL');
  });
  await agent.complained(/serves/);
  const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', '20'];
  const run = await runToEnd(['launch', ...access, '--run', 'one', '--workers', '1', ...spec], place.folder);
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.match(run.stdout, /weights sha256 [0-9a-f]{64}/);
  const events = await runToEnd(['events', ...access, '--run', 'one'], place.folder);
  assert.match(events.stdout, /"type":"finished"/);
});
