import { resolve } from 'node:path';
import { Monitoring } from '../../launch/monitoring.js';
import { systemClock } from '../../core/clock.js';
import type { CommandContext } from '../context.js';
import { onSignals } from '../signals.js';
import type { TrustOptions } from '../trust.js';

export interface MonitorOptions extends TrustOptions {
  readonly port: string;
}

/** `lockstep monitor`: Prometheus, and Alertmanager and Grafana where they are installed, on the runs of one coordinator. */
export async function run(url: string, { port, ca }: MonitorOptions, { stdout }: CommandContext): Promise<void> {
  const monitoring = new Monitoring({
    coordinatorUrl: url,
    ca: ca === undefined ? undefined : resolve(ca),
    port: Number(port),
    clock: systemClock,
  });
  const release = onSignals(
    () => void monitoring.stop(),
    () => process.exit(130),
  );
  try {
    const started = await monitoring.start();
    for (const [name, where] of started) stdout.write(`${name.padEnd(13)} ${where}\n`);
    stdout.write('Ctrl-C ends this; the run goes on\n');
    await monitoring.ended;
  } finally {
    release();
    await monitoring.stop();
  }
}
