import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, beforeEach, test } from 'node:test';
import { lastLine, runToEnd, start } from '../e2e/lockstep.js';
import { natsMissing } from '../e2e/nats-server.js';
import { agentsAtWork } from './agents-at-work.js';

/** Runs that bring their module to the agents' workers, which speak TLS with certificates of the run. */

const skip = natsMissing();
const { place, server, agent, endAgents, command } = agentsAtWork({ after, beforeEach, afterEach });

test(
  'a module is shipped to workers of agents that accept it; the others say why not to the launcher',
  { skip },
  async () => {
    const module = place.path('travelling.mjs');
    writeFileSync(
      module,
      `const number = (sample, i) => ((7 * sample + 3 * i) % 11) / 11;
const read = (samples) => ({
  x: Float32Array.from(samples.flatMap((sample) => [0, 1, 2].map((i) => number(sample, i)))),
  y: Float32Array.from(samples, (sample) => number(sample, 0) - 2 * number(sample, 1)),
});
const set = { length: 240, x: { shape: [3], dtype: 'float32' }, y: { shape: [1], dtype: 'float32' }, read };
export default {
  model: ({ tf }) => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] }),
  data: { train: set, validation: { ...set, length: 48 } },
  loss: 'meanSquaredError',
};
`,
    );
    const spec = [module, '--global-batch', '48', '--micro-batch', '6', '--steps', '40', '--workers', '2'];
    const local = ['--metrics-port', '0', '--json', '--out', place.path('here')];
    const { stdout } = await runToEnd(['train', ...spec, ...local], place.folder);
    const expected = lastLine(stdout)['weightsDigest'];

    const preload = new URL('./absent-file.js', import.meta.url).href;
    const elsewhere = { NODE_OPTIONS: `--import ${preload}`, ABSENT_FILE: module };
    const anna = agent('anna');
    const bert = agent('bert', 1, elsewhere);
    for (const each of [anna, bert]) await each.complained(/serves/);
    const run = start(['launch', '--nats', server().url, '--run', 'ships', '--ship', ...spec], place.folder);
    await run.seen(
      /^run ships is running: worker-\d, of agent bert, ended: .*travelling\.mjs is not on .*without --accept-shipped.*MODULE_NOT_ACCEPTED/m,
    );
    await endAgents(bert);
    const willing = agent('bert', 1, elsewhere, '--accept-shipped');
    const { code, stdout: told, stderr } = await run.ended;
    assert.equal(code, 0, told + stderr);
    assert.match(told, new RegExp(`^weights sha256 ${String(expected)}$`, 'm'));
    const logs = await command('logs', 'ships');
    assert.match(logs.stdout, /--accept-shipped: running travelling\.mjs as the coordinator has sent it/);
    await endAgents(anna, willing);
  },
);
