/** The health check of the image: whether the program in this container answers on /healthz, at the port that it has. */

/* global AbortSignal, fetch */

const chosen = process.env.LOCKSTEP_METRICS_PORT;
const ports = chosen ? [chosen] : ['9464', '9465']; // by default the coordinator's and the worker's

const answers = await Promise.allSettled(
  ports.map(async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(3_000) });
    const text = (await response.text()).trim();
    if (!response.ok) throw new Error(`port ${port}: ${response.status} ${text}`);
    return text;
  }),
);
const good = answers.find(({ status }) => status === 'fulfilled');
process.stdout.write(`${good?.value ?? answers.map(({ reason }) => reason?.message ?? '').join('; ')}\n`);
process.exitCode = good ? 0 : 1;
