import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { processesWith, runToEnd, start, workshop, type Ended, type Running } from '../e2e/lockstep.js';
import { natsMissing, NatsServer } from '../e2e/nats-server.js';

interface Hooks {
  readonly after: (fn: () => void) => void;
  readonly beforeEach: (fn: () => Promise<void>) => void;
  readonly afterEach: (fn: () => Promise<void>) => void;
}

/** A NATS server for each test of a file, agents that serve its queue, and an end to whatever they have started. */
export function agentsAtWork({ after, beforeEach, afterEach }: Hooks) {
  const place = workshop({ after });
  const spec = ['--dataset', place.smallDataset(), '--global-batch', '48', '--micro-batch', '6'];
  const agents: Running[] = [];
  let server: NatsServer;
  beforeEach(async () => {
    server = new NatsServer();
    if (natsMissing() === false) await server.start();
  });
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.child.kill('SIGKILL');
    for (const pid of programs()) process.kill(Number(pid), 'SIGKILL');
    await server.close();
  });

  /** What agents have started lives on without them. */
  function programs(): readonly string[] {
    if (process.platform !== 'linux') return [];
    return processesWith(
      place.folder,
      readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
    );
  }

  return {
    place,
    /** What to train on, in less than a second. */
    spec,
    server: (): NatsServer => server,
    programs,
    agent: (
      name: string,
      slots: number | 'auto' = 1,
      environment: Readonly<Record<string, string>> = {},
      ...more: readonly string[]
    ): Running => {
      const flags = ['--slots', String(slots), '--name', name, '--dir', place.path(`agent-${name}`), ...more];
      const running = start(['agent', '--nats', server.url, ...flags], place.folder, environment);
      agents.push(running);
      return running;
    },
    endAgents: async (...those: readonly Running[]): Promise<void> => {
      for (const each of those) each.child.kill('SIGTERM');
      for (const each of those) assert.equal((await each.ended).code, 0, (await each.ended).stderr);
    },
    launch: (run: string, steps: number, ...more: readonly string[]): Running => {
      const flags = ['--nats', server.url, '--run', run, '--workers', '2'];
      return start(['launch', ...flags, ...spec, '--steps', String(steps), ...more], place.folder);
    },
    command: (...args: readonly string[]): Promise<Ended> => runToEnd([...args, '--nats', server.url], place.folder),
  };
}
