/**
 * `npm run release`: checks what can be checked of a version, and makes what is published, in dist/release: the package and its
 * SBOM. It publishes nothing; docs/release.md says how that is done.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkedSbom, releaseComplaints } from './release-checks.mjs';
import { root } from './setup.mjs';

const say = (line) => process.stdout.write(`${line}\n`);
const readText = (name) => readFileSync(join(root, name), 'utf8');
const readJson = (name) => JSON.parse(readText(name));

/** @returns what the program says; @throws Error with its complaint if it does not end well */
function said(program, ...words) {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? (stderr || stdout).trim().split('\n').at(-1)}`);
  return stdout;
}

/** Known weaknesses of what users install, if the registry says any: some mirrors do not answer. */
function audit() {
  const { status, stdout } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { cwd: root, encoding: 'utf8' });
  const answer = JSON.parse(stdout || '{}');
  const found = answer.metadata?.vulnerabilities;
  if (found === undefined) return say('not checked: known weaknesses need a registry that answers `npm audit`');
  if (status !== 0) throw new Error(`npm audit: ${JSON.stringify(found)}`);
  say('no known weakness in what users install');
}

function release() {
  const manifest = readJson('package.json');
  const complaints = releaseComplaints({
    manifest,
    lock: readJson('package-lock.json'),
    changelog: readText('CHANGELOG.md'),
    status: said('git', 'status', '--porcelain'),
    tags: said('git', 'tag', '--list').split('\n'),
  });
  if (complaints.length > 0) throw new Error(complaints.join('\nerror: '));
  say(`${manifest.version}: package.json, lock file and changelog agree, nothing is left to commit`);
  audit();
  say('the package is made, and installed in an empty project');
  said('bash', '.ci/package');
  const folder = join('dist', 'release');
  rmSync(join(root, folder), { recursive: true, force: true });
  mkdirSync(join(root, folder), { recursive: true });
  const tarball = said('npm', 'pack', '--silent', '--pack-destination', folder).trim().split('\n').at(-1);
  say(join(folder, tarball));
  const sbom = JSON.parse(said('npm', 'sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library'));
  const file = join(folder, `lockstep-${manifest.version}.cdx.json`);
  writeFileSync(join(root, file), `${JSON.stringify(checkedSbom(sbom, manifest), null, 2)}\n`);
  say(file);
}

try {
  release();
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
