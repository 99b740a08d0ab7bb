import { faultsFrom, type FaultTable } from '../core/errors.js';

export const agentFaults = {
  RUN_NAME_TAKEN: {
    exitCode: 2,
    meaning: 'A run was launched under a name that another one has.',
    message: (f: { run: string; state: string }) => `there is a run ${f.run} already (${f.state})`,
    remedy: 'give another --run, or none: a name is made then',
  },
  NO_SUCH_RUN: {
    exitCode: 2,
    meaning: 'A run was named that NATS does not know.',
    message: (f: { run: string }) => `NATS knows no run ${f.run}`,
    remedy: '`lockstep runs --nats URL` lists those that it knows',
  },
  AGENT_RUNS: {
    exitCode: 2,
    meaning: 'An agent was started in a folder that another agent uses.',
    message: (f: { dir: string; owner: string; lock: string }) =>
      `${f.owner} is an agent with the folder ${f.dir}, says its file ${f.lock}`,
    remedy:
      'one agent serves all slots of a host; for a second one, or on another host, give another --dir and --name; if there is no such process, remove the file',
  },
  AGENT_NAME_TAKEN: {
    exitCode: 2,
    meaning: 'An agent has the name of another one that serves the same queue.',
    message: (f: { name: string; host: string }) => `an agent ${f.name} is there already, on ${f.host}`,
    remedy: 'give another --name: each agent needs its own; one that was moved ends before the next one begins',
  },
  LAUNCH_FAILED: {
    exitCode: 1,
    meaning: 'A run that was launched ended without a result.',
    message: (f: { run: string; why: string }) => `run ${f.run} failed: ${f.why}`,
    remedy: '`lockstep logs RUN --nats URL` shows what its programs said',
  },
  RUN_NOT_OVER: {
    exitCode: 2,
    meaning: 'The results of a run were asked for before it had ended.',
    message: (f: { run: string; state: string }) => `run ${f.run} is not over: it is ${f.state}`,
    remedy: '`lockstep attach RUN --nats URL` follows it to its end, `lockstep stop RUN --nats URL` ends it now',
  },
  NO_RESULTS: {
    exitCode: 1,
    meaning: 'A run ended before it had weights to save.',
    message: (f: { run: string; why: string; where: string }) => `run ${f.run} left no results${f.where}: it ${f.why}`,
    remedy: '`lockstep logs RUN --nats URL` shows what its programs said',
  },
  RESULTS_UNEXPECTED: {
    exitCode: 1,
    meaning: 'An agent named a file that is none of a run: it could lead out of the folder that is fetched.',
    message: (f: { name: string; agent: string }) => `agent ${f.agent} offers ${f.name}, which no run has as a result`,
    remedy: 'use the same version of lockstep here and there; if it is the same, do not trust that host',
  },
  RESULTS_DAMAGED: {
    exitCode: 1,
    meaning: 'A file arrived with another content than it has where it was computed.',
    message: (f: { name: string; agent: string; expected: string; actual: string }) =>
      `${f.name} of agent ${f.agent} has the SHA-256 ${f.expected.slice(0, 12)}, and arrived with ${f.actual.slice(0, 12)}`,
    remedy: 'fetch it again; if that does not help, look at the disk and the memory of both machines',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(agentFaults);
