/** Commands that documents show: each is one that `lockstep` takes, and is run by a test or says why it is not. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommanderError, type Command as Commander } from 'commander';
import type { CommandContext } from '../../../src/cli/context.js';
import { addFurtherCommands } from '../../../src/cli/further.js';
import { createProgram, type Invocation } from '../../../src/cli/program.js';
import { loadConfig } from '../../../src/config/index.js';
import { LockstepError } from '../../../src/core/errors.js';
import { packageRoot } from '../../../src/core/paths.js';
import { blocksOf, commandsOf, type Block } from '../../documented.js';
import { only, projectFiles } from '../../tidy/files.js';

const pages = (folder: string): string[] =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort();
const documents = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...pages('docs')];
const examples = pages('examples').filter((page) => !page.includes('node_modules'));

/** The arguments of `lockstep`, in the three ways in which documents call it. Words are quoted nowhere. */
function argumentsIn(command: string): string[] | undefined {
  const [, start, rest] = /^(?:npx )?(lockstep|npm start --) (.*)$/.exec(command) ?? [];
  if (rest === undefined) return undefined;
  const words = rest.split(/\s+/);
  return start === 'lockstep' ? words : ['train', ...words];
}

const quiet = { write: () => true };
const context = { stdout: quiet, stderr: quiet, argv: [], environment: {} } as unknown as CommandContext;

/** What `lockstep` says before it begins: undefined if it would begin. Files that only the reader has are not missed. */
async function refusal(argv: readonly string[]): Promise<string | undefined> {
  const load = async (invocation: Invocation): Promise<void> =>
    void loadConfig(invocation.command, { ...invocation, environment: {} });
  const nothing = async (): Promise<void> => undefined;
  const create = (): Commander =>
    createProgram('0', quiet, {
      run: load,
      engines: nothing,
      installTensorflow: nothing,
      benchExchange: nothing,
      help: nothing,
    });
  const program = create();
  addFurtherCommands(program, context, { exit: () => undefined, checkFlags: nothing });
  const further = program.commands.filter((command) => !['train', 'coordinator', 'worker'].includes(command.name()));
  for (const command of further.flatMap((c) => [c, ...c.commands]))
    if (command.commands.length === 0) command.action(nothing);
  // What `launch` hands on is for a coordinator.
  program.commands
    .find((command) => command.name() === 'launch')!
    .action(
      async (flags: readonly string[]) => void (await create().parseAsync(['coordinator', ...flags], { from: 'user' })),
    );
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    if (error instanceof LockstepError)
      return ['CONFIG_UNREADABLE', 'RESUME_NO_RUN'].includes(error.code) ? undefined : error.message;
    throw error;
  }
}

const shellBlocks = (page: string): readonly Block[] => blocksOf(page).filter(({ language }) => language === 'sh');

test('every command that documents show is one that lockstep takes, with its values', async () => {
  let count = 0;
  for (const page of [...documents, ...examples])
    for (const command of blocksOf(page).flatMap(commandsOf)) {
      const argv = argumentsIn(command);
      if (argv === undefined) continue;
      count++;
      assert.equal(await refusal(argv), undefined, `${page}: ${command}`);
    }
  assert.ok(count > 60, `only ${count} commands were found`);
});

test('what is wrong with a command is seen', async () => {
  const said = (command: string): Promise<string | undefined> => refusal(argumentsIn(command)!);
  assert.match((await said('npx lockstep train --workerz 3'))!, /unknown option '--workerz'/);
  assert.match((await said('lockstep train --workers three'))!, /--workers three/);
  assert.match((await said('npm start -- --steps 5 --epochs 2'))!, /--epochs/);
  assert.match((await said('npx lockstep sweep --presett seed'))!, /unknown option '--presett'/);
  assert.match((await said('lockstep launch --nats nats://a:4222 --workers 2 --nope'))!, /unknown option '--nope'/);
  assert.match((await said('lockstep certs init --dir d --rolle x'))!, /unknown option '--rolle'/);
  assert.match((await said('lockstep dance'))!, /unknown command 'dance'/);
});

test('commands stand in blocks of `sh`, and each block names the test that runs it, or why none does', () => {
  const tests = only(projectFiles(packageRoot), /^test\/.*\.test\.ts$/);
  for (const page of documents.filter((p) => !p.startsWith('docs/deploy/'))) {
    for (const { language, text } of blocksOf(page))
      if (language !== 'sh')
        assert.doesNotMatch(text, /^(npx |npm |lockstep |node )/m, `${page}: a block without \`sh\``);
    for (const { note, text } of shellBlocks(page)) {
      const [, name] = /^test: (.+)$/.exec(note) ?? [];
      const isRun =
        name !== undefined &&
        [...tests.values()].some((source) => source.includes(`'${page}'`) && source.includes(`'${name}'`));
      assert.ok(isRun || /^not run: .{10}/.test(note), `${page}: ${text} (${note || 'no note'})`);
      for (const [file = ''] of note.matchAll(/test\/[\w/-]+\.test\.ts/g))
        assert.ok(tests.has(file), `${page}: ${file}, of a note, does not exist`);
    }
  }
});
