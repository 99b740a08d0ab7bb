/** A machine that has Node.js with its npm and nothing else, and on it an empty project into which the package is installed. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/core/paths.js';

/** Beside `node`: npm and npx are scripts that `env` starts, and npx starts programs through `sh`. */
const programs = ['npm', 'npx', 'env', 'sh'];

/** Where packages come from, and those that were fetched before, are this machine's affair. All else of npm is as on a new one. */
const settings = ['registry', 'userconfig', 'cache'];

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

export class EmptyProject {
  private readonly place = realpathSync(mkdtempSync(join(tmpdir(), 'lockstep-package-')));
  readonly folder = join(this.place, 'project');
  private readonly environment: Record<string, string>;

  constructor() {
    const [bin, home] = ['bin', 'home'].map((name) => join(this.place, name)) as [string, string];
    for (const folder of [bin, home, this.folder]) mkdirSync(folder);
    for (const name of programs)
      symlinkSync(realpathSync(said('sh', ['-c', `command -v ${name}`], packageRoot).stdout.trim()), join(bin, name));
    symlinkSync(process.execPath, join(bin, 'node'));
    const npm = settings.map((key): [string, string] => [
      `NPM_CONFIG_${key.toUpperCase()}`,
      said('npm', ['config', 'get', key], packageRoot).stdout.trim(),
    ]);
    this.environment = { PATH: bin, HOME: home, TMPDIR: this.place, NO_COLOR: '1', ...Object.fromEntries(npm) };
  }

  /** What `npm pack` makes of this checkout, with everything that it does before. @returns its path */
  pack(): string {
    const { stdout } = said('npm', ['pack', '--silent', '--pack-destination', this.place], packageRoot);
    return join(this.place, stdout.trim().split('\n').at(-1)!);
  }

  /** @throws AssertionError if it does not end well */
  run(program: string, ...words: readonly string[]): Said {
    return said(program, words, this.folder, this.environment);
  }

  remove(): void {
    rmSync(this.place, { recursive: true });
  }
}

/** A program to its end, within three minutes. @throws AssertionError with its own words if it does not end well */
export function said(
  program: string,
  words: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Said {
  const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, env, encoding: 'utf8', timeout: 180_000 });
  assert.equal(status, 0, `${program} ${words.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}
