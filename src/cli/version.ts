import { readFileSync } from 'node:fs';
import { packageRoot } from '../core/paths.js';

/** Of this installation. */
export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
  return manifest.version;
}
