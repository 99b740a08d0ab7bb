import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { configurationPage, defaultInWords } from '../../../src/config/documentation.js';
import { variableOf } from '../../../src/config/field.js';
import { factsOf, fieldNames } from '../../../src/config/sources.js';
import { expectationOf } from '../../../src/config/values.js';
import { packageRoot } from '../../../src/core/paths.js';

describe('the schema', () => {
  test('no two fields share a flag, and none takes a general one', () => {
    const flags = fieldNames.map((name) => factsOf(name).flag);
    assert.deepEqual(flags, [...new Set(flags)]);
    for (const flag of ['config', 'help', 'version']) assert.ok(!flags.includes(flag), flag);
    for (const flag of flags) assert.match(flag, /^[a-z]+(-[a-z]+)*$/);
  });

  test('every default is a value that its field takes', () => {
    for (const name of fieldNames) {
      const { schema, default: value, defaultOf } = factsOf(name);
      for (const one of [value, ...Object.values(defaultOf ?? {})])
        if (one !== undefined) assert.deepEqual(schema.parse(one), one, name);
    }
  });

  test('every field says what it expects, what it means and what happens without it', () => {
    for (const name of fieldNames) {
      const { schema, about, insteadOf } = factsOf(name);
      assert.notEqual(expectationOf(schema), 'another value', name);
      assert.match(about, /\.$/, name);
      if (insteadOf === undefined) assert.notEqual(defaultInWords(name), '', name);
    }
  });

  test('options that exclude each other name each other', () => {
    for (const name of fieldNames) {
      const { insteadOf } = factsOf(name);
      if (insteadOf !== undefined && insteadOf !== 'module')
        // in whose place there are several
        assert.equal(factsOf(insteadOf as typeof name).insteadOf, name);
    }
  });
});

describe('docs/configuration.md', () => {
  test('is what the schema says (`npm run docs` writes it)', () => {
    assert.equal(readFileSync(join(packageRoot, 'docs', 'configuration.md'), 'utf8'), configurationPage());
  });
  test('names every field, flag and variable', () => {
    const page = configurationPage();
    for (const name of fieldNames) {
      const { flag } = factsOf(name);
      assert.ok(
        page.includes(`\`${name}\``) && page.includes(`\`--${flag}`) && page.includes(`\`${variableOf(flag)}\``),
        name,
      );
    }
  });
});
