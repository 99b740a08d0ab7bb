import { field } from './field.js';
import { text, toggle } from './values.js';

const everywhere = ['train', 'coordinator', 'worker'] as const;

/** Options about who may take part, and who may look on. */
export const securityFields = {
  certs: field('certs', text, {
    group: 'Network',
    commands: everywhere,
    placeholder: 'DIR',
    local: true,
    otherwise: 'on loopback none; beyond it the coordinator makes its own, in the folder security of the run',
    about:
      'Folder with the certificates of the run, as `lockstep certs init` and `lockstep certs issue` make them: programs then speak TLS, and each shows its own. They are read again when they change.',
  }),
  token: field('token', text, {
    group: 'Network',
    commands: ['worker'],
    placeholder: 'TOKEN',
    local: true,
    otherwise: 'none',
    about:
      'Join token: with it a worker gets its certificate from the coordinator, and knows the coordinator for the right one. The coordinator prints it, `lockstep certs token` makes others. Others on the machine can read what stands on a command line: LOCKSTEP_TOKEN is hidden from them.',
  }),
  insecure: field('insecure', toggle, {
    group: 'Network',
    commands: everywhere,
    default: false,
    local: true,
    about:
      'Listens beyond loopback without TLS, certificates and tokens: for networks where everybody is trusted. All programs of a run have to say it.',
  }),
  metricsTls: field('metrics-tls', toggle, {
    group: 'Network',
    commands: everywhere,
    default: true,
    local: true,
    about:
      'Beyond loopback, and without --insecure, metrics and the live page are served with TLS, by the certificates of the run. `--no-metrics-tls`: without, for a proxy in front of them that has TLS of its own.',
  }),
  metricsTokenFile: field('metrics-token-file', text, {
    group: 'Network',
    commands: everywhere,
    placeholder: 'FILE',
    local: true,
    otherwise: 'none on loopback and with --insecure; else metrics-token of the certificates',
    about:
      'File with the token that whoever reads the metrics and the live page has to show: `Authorization: Bearer TOKEN`, or ?token=TOKEN once in a browser. /healthz and /readyz need none.',
  }),
} as const;
