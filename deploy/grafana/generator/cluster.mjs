// @ts-check
/** Is it healthy, how fast is it, and who is slow? */

import { run } from './panels.mjs';

/** @param {import('./build.mjs').Names} names @returns {import('./panels.mjs').Panel[]} */
export function clusterPanels({ coordinator: c, worker: w }) {
  const good = [
    { value: null, color: 'red' },
    { value: 1, color: 'green' },
  ];
  const bad = [
    { value: null, color: 'green' },
    { value: 1, color: 'red' },
  ];
  return [
    {
      kind: 'stat',
      title: 'How fast is it now?',
      about: 'Training samples a second over all workers, in the last minute.',
      queries: [{ expr: `sum by (run) (rate(${c.images}{${run}}[1m]))`, legend: '{{run}}' }],
      unit: 'short',
    },
    {
      kind: 'stat',
      title: 'How many steps a second?',
      about: 'Optimizer steps finished a second, in the last minute.',
      queries: [{ expr: `sum by (run) (rate(${c.steps}{${run}}[1m]))`, legend: '{{run}}' }],
      unit: 'ops',
    },
    {
      kind: 'stat',
      title: 'Are all workers here?',
      about:
        'Workers of the current generation as a share of those with which the run was started; more than all is fine.',
      queries: [{ expr: `${c.worldSize}{${run}} / ${c.wantedWorkers}{${run}}`, legend: '{{run}}' }],
      unit: 'percentunit',
      thresholds: good,
    },
    {
      kind: 'stat',
      title: 'Is every process scraped?',
      about: 'Processes that Prometheus knows of and cannot reach. 0 is good.',
      queries: [{ expr: 'count(up{job=~"lockstep-.*"} == 0) or vector(0)', legend: 'unreachable' }],
      unit: 'short',
      thresholds: bad,
    },
    {
      kind: 'stat',
      title: 'How many workers were lost?',
      about: 'Since the coordinator began, without those that asked to leave.',
      queries: [
        {
          expr: `sum by (run) (${c.workersLost}{${run},cause!="leave"}) or ${c.worldSize}{${run}} * 0`,
          legend: '{{run}}',
        },
      ],
      unit: 'short',
      thresholds: bad,
    },
    {
      kind: 'stat',
      title: 'How often did the membership change?',
      about:
        'Workers that came, left or were lost while the run went on. Each costs a round trip and at most one step.',
      queries: [{ expr: `${c.membershipChanges}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
    },
    {
      kind: 'lines',
      title: 'How fast has it been?',
      about: 'Training samples a second. A dip at a red line is a change of membership.',
      queries: [{ expr: `sum by (run) (rate(${c.images}{${run}}[$__rate_interval]))`, legend: '{{run}}' }],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'stacked',
      title: 'Where does the time of a step go?',
      about:
        'Seconds of a step by phase, as a mean over the workers. Much waiting: somebody is slow (see below). Much exchanging: the network, or too small a batch.',
      queries: [
        {
          expr: `sum by (phase) (rate(${w.phaseSeconds}_sum{${run}}[$__rate_interval])) / sum by (phase) (rate(${w.phaseSeconds}_count{${run}}[$__rate_interval]))`,
          legend: '{{phase}}',
        },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Does anybody wait for samples?',
      about:
        "Seconds a second in which a worker waits for samples of a run's own data set to be read. Near 0 is normal: they are read ahead. Much: make reading cheaper, or share it out to more workers.",
      queries: [{ expr: `rate(${w.inputWait}{${run}}[$__rate_interval])`, legend: '{{worker}}' }],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Who makes the others wait?',
      about: 'Seconds that the others, added up, wait each second because the part of this worker comes last.',
      queries: [
        { expr: `sum by (worker) (rate(${c.memberWaitedFor}{${run}}[$__rate_interval]))`, legend: '{{worker}}' },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Whose range was computed a second time?',
      about:
        'Steps a second that a worker finished while its own engine was late, and ranges that the next rank computed for that, used or in vain. Nothing is normal; a worker that shows for long has a machine that stands still now and then.',
      queries: [
        { expr: `rate(${w.helpedSteps}{${run}}[$__rate_interval])`, legend: '{{worker}} was late' },
        {
          expr: `rate(${w.secondComputations}{${run}}[$__rate_interval])`,
          legend: '{{worker}} computed for it: {{reason}}, {{outcome}}',
        },
      ],
      unit: 'ops',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'How long does each wait?',
      about:
        'Seconds that a worker waits in a step: nine of ten steps wait less. The one that waits least is the slowest.',
      queries: [
        {
          expr: `histogram_quantile(0.9, sum by (worker, le) (rate(${w.phaseSeconds}_bucket{${run},phase="wait"}[$__rate_interval])))`,
          legend: '{{worker}}',
        },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'How is the work shared out?',
      about: 'Training samples a second by worker. Ranges follow speed; equal lines mean equal machines.',
      queries: [{ expr: `sum by (worker) (rate(${w.images}{${run}}[$__rate_interval]))`, legend: '{{worker}}' }],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Whose range is how large, and does it settle?',
      about:
        'Share of a step that each worker computes; it follows measured speed. Changes of ranges in the last five minutes: many of them mean that speeds change.',
      queries: [
        { expr: `${w.rangeShare}{${run}}`, legend: '{{worker}}' },
        { expr: `increase(${c.rangeChanges}{${run}}[5m])`, legend: 'changes' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Does everybody keep up?',
      about:
        'Steps a second by worker. They are the same by design: a line apart is a worker that catches up or is gone.',
      queries: [{ expr: `sum by (worker) (rate(${w.steps}{${run}}[$__rate_interval]))`, legend: '{{worker}}' }],
      unit: 'ops',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Who is a member?',
      about: '1 while a worker is in the current generation, 0 once it is not.',
      queries: [{ expr: `${c.memberUp}{${run}}`, legend: '{{worker}}' }],
      unit: 'short',
      min: 0,
      max: 1,
    },
    {
      kind: 'lines',
      title: 'How many are there, and how many should be?',
      about:
        'Workers of the current generation, those with which the run was started, and those that had joined while it waited.',
      queries: [
        { expr: `${c.worldSize}{${run}}`, legend: 'members' },
        { expr: `${c.wantedWorkers}{${run}}`, legend: 'wanted' },
        { expr: `${c.joinedWorkers}{${run}}`, legend: 'joined' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Do all work under the same generation?',
      about: 'The coordinator and every worker. A worker whose line lags behind has not heard of the newest one.',
      queries: [
        { expr: `${c.generation}{${run}}`, legend: 'coordinator' },
        { expr: `${w.generation}{${run}}`, legend: '{{worker}}' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Why were workers lost?',
      about:
        'In the last five minutes, by cause. connection: a process died or a network broke; silence: a machine hangs or is cut off; failure: it said why, see its log.',
      queries: [{ expr: `sum by (cause) (increase(${c.workersLost}{${run}}[5m]))`, legend: '{{cause}}' }],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Who cannot reach NATS?',
      about:
        '1 for the coordinator (changes of membership wait) or a worker (it would not find a new coordinator) that cannot. Always 0 without NATS.',
      queries: [
        { expr: `${c.natsUnreachable}{${run}}`, legend: 'coordinator' },
        { expr: `${w.natsUnreachable}{${run}}`, legend: '{{worker}}' },
      ],
      unit: 'short',
      min: 0,
      max: 1,
    },
    {
      kind: 'lines',
      title: 'Does the event stream keep up?',
      about:
        'Events that are not in NATS yet, and those that never will be, since they waited for too long; events.jsonl has all.',
      queries: [
        { expr: `${c.eventsWaiting}{${run}}`, legend: 'waiting' },
        { expr: `${c.eventsGivenUp}{${run}}`, legend: 'given up' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Who is refused?',
      about:
        'Connections and calls that were not let in, in the last five minutes, by reason: docs/security.md. A few may be mistakes of somebody who sets up a worker; many of one kind are worth a look at the log.',
      queries: [
        { expr: `sum by (reason) (increase(${c.refused}{${run}}[5m]))`, legend: 'coordinator: {{reason}}' },
        { expr: `sum by (reason) (increase(${w.refused}{${run}}[5m]))`, legend: 'workers: {{reason}}' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Is anybody short of memory?',
      about:
        'Resident memory of each process, and what its threads share (weights, gradients, activations). Steady lines are right.',
      queries: [
        { expr: `process_resident_memory_bytes{${run}}`, legend: 'resident {{worker}}' },
        { expr: `${w.arena}{${run}}`, legend: 'shared {{worker}}' },
      ],
      unit: 'bytes',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Does any process keep its event loop busy?',
      about:
        'The longest of a hundred delays of the event loop. Tens of milliseconds hold up the exchange and heartbeats.',
      queries: [{ expr: `nodejs_eventloop_lag_p99_seconds{${run}}`, legend: '{{job}} {{worker}}' }],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Does the engine leak?',
      about: 'Live tensor objects of each engine: constant while a run goes on. A line that climbs is a leak.',
      queries: [{ expr: `${w.tensors}{${run}}`, legend: '{{worker}}' }],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Is data still being sent?',
      about:
        'Bytes of data sets a second from the coordinator, and to each worker. Only at the beginning of a run, and when a worker joins.',
      queries: [
        { expr: `sum(rate(${c.datasetSent}{${run}}[$__rate_interval]))`, legend: 'sent' },
        { expr: `sum by (worker) (rate(${w.datasetReceived}{${run}}[$__rate_interval]))`, legend: '{{worker}}' },
      ],
      unit: 'Bps',
      min: 0,
    },
    {
      kind: 'table',
      title: 'Who is which rank, and for whom does each wait?',
      about:
        'The rank of each worker, and the rank of the worker for which it waited longest in the last half second (-1: nobody).',
      queries: [
        { expr: `${w.rank}{${run}}`, legend: 'rank' },
        { expr: `${w.slowestPeer}{${run}}`, legend: 'waits for rank' },
      ],
      unit: 'short',
      width: 12,
    },
    {
      kind: 'table',
      title: 'What is running?',
      about: 'Version of lockstep and of Node.js, of each process.',
      queries: [{ expr: `${c.build}{${run}}`, legend: '{{program}}' }],
      unit: 'short',
      width: 12,
    },
  ];
}
