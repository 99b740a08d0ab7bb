/** The configuration may not import the rooms that it speaks of, so here it is compared with them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fields } from '../../../src/config/schema.js';
import { packageRoot } from '../../../src/core/paths.js';
import { modelNames } from '../../../src/engine/models/names.js';
import { optimizersPage } from '../../../src/optim/documentation.js';
import { optimizerNames, optimizerOptions } from '../../../src/optim/registry.js';
import { parseSchedule, scheduleForms } from '../../../src/optim/schedule-text.js';

const accepts = (name: 'model' | 'optimizer', value: string) => fields[name].schema.safeParse(value).success;

test('--model takes the models that there are, and names them', () => {
  const [names] = fields.model.schema.options;
  assert.deepEqual([...names.options], [...modelNames]);
  for (const name of modelNames) assert.ok(accepts('model', name) && fields.model.about.includes(`\`${name}\``), name);
  assert.ok(accepts('model', 'nets/own.json') && !accepts('model', 'own.txt'));
});

test('--optimizer takes the rules that there are, and names them', () => {
  assert.deepEqual([...fields.optimizer.schema.options], [...optimizerNames]);
  for (const name of optimizerNames)
    assert.ok(accepts('optimizer', name) && fields.optimizer.about.includes(`\`${name}\``), name);
});

test('--optimizer-option names the options that rules have, and no other', () => {
  const known = new Set(Object.values(optimizerOptions).flatMap((options) => Object.keys(options)));
  const [, list = ''] = /: ([\w, ]+)\./.exec(fields.optimizerOptions.about) ?? [];
  assert.deepEqual(list.split(', ').sort(), [...known].sort());
});

test('--lr-schedule shows every form, and its default is one', () => {
  for (const { form } of scheduleForms) {
    const [kind = ''] = form.split(':');
    assert.match(fields.learningRateSchedule.about, new RegExp(`\`${kind}[\`:]`));
    parseSchedule(form);
  }
  parseSchedule(fields.learningRateSchedule.default);
});

test('docs/optimizers.md is what the tables say (`npm run docs` writes it)', () => {
  assert.equal(readFileSync(join(packageRoot, 'docs', 'optimizers.md'), 'utf8'), optimizersPage());
});
