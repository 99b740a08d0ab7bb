import { field } from './field.js';
import { runName, text, toggle } from './values.js';

/** Options about losing the coordinator: who takes over, and where the run is found then. */
export const takeoverFields = {
  nats: field('nats', text, {
    group: 'Cluster',
    commands: ['coordinator', 'worker'],
    placeholder: 'URL',
    local: true,
    insteadOf: 'coordinator',
    otherwise: 'none',
    about:
      "A NATS server with JetStream, such as `nats://10.0.0.1:4222`: workers find the coordinator of --run there, the journal lies there, and a coordinator with --standby takes over when the run's own is gone. Instead of --coordinator.",
  }),
  natsCreds: field('nats-creds', text, {
    group: 'Cluster',
    commands: ['coordinator', 'worker'],
    placeholder: 'FILE',
    local: true,
    otherwise: 'none',
    about:
      'What the NATS server knows us by: a .creds file, the seed of an nkey, or one line USER:PASSWORD. Goes with --nats.',
  }),
  natsCa: field('nats-ca', text, {
    group: 'Cluster',
    commands: ['coordinator', 'worker'],
    placeholder: 'FILE',
    local: true,
    otherwise: 'the authorities that the system knows',
    about:
      'Certificate of the authority behind the NATS server, PEM: the connection is TLS then. So it is with --nats tls://HOST.',
  }),
  run: field('run', runName, {
    group: 'Cluster',
    commands: ['coordinator', 'worker'],
    placeholder: 'NAME',
    local: true,
    otherwise: 'none',
    about: 'Name of the run in NATS: letters, digits, `-` and `_`. Goes with --nats.',
  }),
  standby: field('standby', toggle, {
    group: 'Cluster',
    commands: ['coordinator'],
    default: false,
    local: true,
    about:
      'Waits until the run in NATS has a coordinator no more, then takes over. It needs the data set as the first one did, and a folder --out of its own: metrics.jsonl there begins with what workers remember, the last 32,768 steps.',
  }),
  restore: field('restore', toggle, {
    group: 'Results',
    commands: ['coordinator'],
    default: false,
    local: true,
    about:
      'Takes over the run in --out whose coordinator is gone, while its workers go on; they come back by themselves. Options come from its spec.json, and the port, unless --port is given, from its journal. Where no run was begun yet it begins one, so that a unit file can say it always. `train` restarts its coordinator in this way.',
  }),
} as const;
