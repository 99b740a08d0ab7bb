import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { fault } from '../../security/faults.js';
import { CertificateFolder } from '../../security/folder.js';
import { roles, type Role } from '../../security/identity.js';
import { newKeyPair, newSecret } from '../../security/secrets.js';
import type { CommandContext } from '../context.js';

const nowMs = (): number => Date.now();

export interface InitOptions {
  readonly dir: string;
  readonly run?: string;
  readonly days: string;
}

/** `lockstep certs init` */
export async function init({ dir, run, days }: InitOptions, { stdout }: CommandContext): Promise<void> {
  const name = run ?? `run-${newSecret().slice(0, 6)}`;
  if (!/^[\w.-]{1,64}$/.test(name))
    throw fault('BAD_CERTS_OPTION', { given: `--run ${name}`, expects: 'letters, digits, - _ and .' });
  const folder = await CertificateFolder.init(dir, name, positive('--days', days) * 24, nowMs);
  stdout.write(
    `the authority of ${name} is in ${folder.path}: keep ca.key there secret, whoever has it can join every run of it\n` +
      `on this machine:   lockstep coordinator --certs ${dir} --listen 0.0.0.0 ...\n` +
      `for another one:   lockstep certs token --dir ${dir}, or lockstep certs issue --dir ${dir} --name NAME --out FOLDER\n`,
  );
}

export interface IssueOptions {
  readonly dir: string;
  readonly role: string;
  readonly name?: string;
  readonly out: string;
  readonly hours: string;
}

/** `lockstep certs issue` */
export async function issue(options: IssueOptions, { stdout }: CommandContext): Promise<void> {
  const holder = { role: roleOf(options.role), name: nameOf(options.name ?? hostname()) };
  if (resolve(options.out) === resolve(options.dir))
    throw fault('BAD_CERTS_OPTION', { given: `--out ${options.out}`, expects: 'another folder than --dir' });
  await certify(options.dir, options.out, holder, positive('--hours', options.hours));
  stdout.write(`${options.out} is for the ${holder.role} ${holder.name}: bring it there, and give --certs there\n`);
}

export interface RotateOptions {
  readonly dir: string;
  readonly hours: string;
}

/** `lockstep certs rotate`: programs that use the folders go on with the new certificates, at the next look. */
export async function rotate(
  folders: readonly string[],
  { dir, hours }: RotateOptions,
  { stdout }: CommandContext,
): Promise<void> {
  for (const path of folders) {
    const holder = new CertificateFolder(path).holder();
    await certify(dir, path, holder, positive('--hours', hours));
    stdout.write(`${path}: new key and certificate for the ${holder.role} ${holder.name}\n`);
  }
}

export interface TokenOptions {
  readonly dir: string;
  readonly uses: string;
  readonly hours: string;
}

/** `lockstep certs token` */
export function token({ dir, uses, hours }: TokenOptions, { stdout }: CommandContext): Promise<void> {
  const authority = new CertificateFolder(dir).authority(nowMs);
  const count = positive('--uses', uses);
  if (!Number.isSafeInteger(count))
    throw fault('BAD_CERTS_OPTION', { given: `--uses ${uses}`, expects: 'a whole number' });
  stdout.write(`${authority.token('worker', count, positive('--hours', hours))}\n`);
  return Promise.resolve();
}

async function certify(
  dir: string,
  out: string,
  holder: { readonly role: Role; readonly name: string },
  hours: number,
): Promise<void> {
  const source = new CertificateFolder(dir);
  const authority = source.authority(nowMs);
  const { key, publicKey } = newKeyPair();
  const certificate = await authority.issue({ ...holder, publicKey, hours });
  await new CertificateFolder(out).store({ ca: authority.certificate, certificate, key }, source.metricsToken());
}

function roleOf(text: string): Role {
  const role = roles.find((known) => known === text);
  if (!role) throw fault('BAD_CERTS_OPTION', { given: `--role ${text}`, expects: roles.join(' or ') });
  return role;
}

function nameOf(text: string): string {
  if (/^[\w.-]{1,60}$/.test(text)) return text;
  throw fault('BAD_CERTS_OPTION', { given: `--name ${text}`, expects: 'letters, digits, - _ and .' });
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw fault('BAD_CERTS_OPTION', { given: `${flag} ${text}`, expects: 'a number above 0' });
}
