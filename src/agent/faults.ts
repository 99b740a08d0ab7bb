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
    message: (f: { dir: string; pid: number }) => `process ${f.pid} is an agent with the folder ${f.dir}`,
    remedy: 'one agent serves all slots of a host; for a second one give another --dir and --name',
  },
  LAUNCH_FAILED: {
    exitCode: 1,
    meaning: 'A run that was launched ended without a result.',
    message: (f: { run: string; why: string }) => `run ${f.run} failed: ${f.why}`,
    remedy: '`lockstep logs RUN --nats URL` shows what its programs said',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(agentFaults);
