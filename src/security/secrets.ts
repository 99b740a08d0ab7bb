/** What nobody may guess: the one place of this room where chance comes in. */

import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

export interface KeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly privateKey: KeyObject;
}

/** P-256: what every TLS library has, with signatures that cost a tenth of a millisecond. */
export function newKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    privateKey,
  };
}

/** 128 bits, as text that a URL may carry. */
export function newSecret(): string {
  return randomBytes(16).toString('base64url');
}
