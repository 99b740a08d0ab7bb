import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { jsonLines, lastLine, runToEnd, slowEngine } from '../e2e/lockstep.js';
import { natsMissing } from '../e2e/nats-server.js';
import { agentsAtWork } from './agents-at-work.js';

/** A sweep whose trials are runs in the queue of a real NATS server. */

const skip = natsMissing();
const { place, spec, server, agent, endAgents, command } = agentsAtWork({ after, beforeEach, afterEach });

type Trial = Record<'weightsDigest' | 'evaluations', unknown>;

/** What is the same wherever a trial runs. */
function factsIn(stdout: string): unknown[] {
  return (lastLine(stdout)['trials'] as Trial[]).map(({ weightsDigest, evaluations }) => [
    weightsDigest,
    (evaluations as Record<string, number>[]).map(({ step, loss, accuracy }) => [step, loss, accuracy]),
  ]);
}

test('trials are spread over the slots, and give what they give in one process', { skip }, async () => {
  const slow = slowEngine(10); //                                     so that one trial goes on when the next one begins
  const those = [agent('hanna', 1, slow), agent('ida', 1, slow)];
  for (const each of those) await each.complained(/serves/);
  const grid = [...spec, '--model', 'mlp', '--seed', '1,2,3,4', '--validation', '48', '--epochs', '2'];
  const sweep = (out: string, ...where: readonly string[]) =>
    runToEnd(['sweep', ...grid, '--target-accuracy', '1', '--json', '--out', place.path(out), ...where], place.folder);

  const queued = await sweep('queued', '--nats', server().url);
  assert.equal(queued.code, 0, queued.stderr);
  assert.deepEqual(factsIn(queued.stdout), factsIn((await sweep('here')).stdout));

  const runs = jsonLines((await command('runs', '--json')).stdout) as unknown as readonly { readonly name: string }[];
  assert.equal(runs.length, 4);
  const members = new Set<string>();
  for (const { name } of runs)
    for (const event of jsonLines((await command('events', '--run', name)).stdout))
      if (event.type === 'generation') for (const member of event['members'] as string[]) members.add(member);
  assert.deepEqual([...members].sort(), ['hanna-0', 'ida-0']);

  const again = await sweep('again', '--nats', server().url);
  assert.deepEqual(factsIn(again.stdout), factsIn(queued.stdout));
  assert.equal(jsonLines((await command('runs', '--json')).stdout).length, 4, 'what is over is not queued again');
  await endAgents(...those);
});
