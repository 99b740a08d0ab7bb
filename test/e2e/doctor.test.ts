import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Client, credentials, loadPackageDefinition, type ClientReadableStream } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { jsonLines, runToEnd, slowEngine, start, workshop } from './lockstep.js';

/** How a coordinator is, asked from outside. */

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6'];
const free = ['--exchange-port', '0', '--metrics-port', '0'];

test('the doctor goes the way of a worker, which then works with the same token', async () => {
  const out = ['--out', place.path('doctor'), '--json'];
  const where = ['--listen', '0.0.0.0', '--port', '0', '--metrics-port', '0', ...out];
  const coordinator = start(['coordinator', ...spec, '--workers', '1', '--steps', '4', ...where], place.folder);
  const [, port, token] = await coordinator.seen(/"coordinator":"0\.0\.0\.0:(\d+)".*--token ([^"]+)"/);
  const at = ['--coordinator', `127.0.0.1:${port}`, '--listen', '127.0.0.1', '--exchange-port', '0'];

  const without = await runToEnd(['doctor', ...at], place.folder);
  assert.equal(without.code, 1, without.stderr);
  assert.match(without.stdout, /^FAIL authority .* -> give the --token/m);
  const good = await runToEnd(['doctor', ...at, '--token', token!], place.folder);
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /^ok {3}bandwidth .* MB\/s/m);
  const again = await runToEnd(['doctor', ...at, '--json'], place.folder, { LOCKSTEP_TOKEN: token! });
  assert.equal(again.code, 0, again.stdout + again.stderr);
  for (const line of jsonLines(again.stdout)) assert.equal(line['outcome'], 'good', JSON.stringify(line));

  const worker = await runToEnd(['worker', ...at, '--metrics-port', '0', '--token', token!], place.folder);
  assert.equal(worker.code, 0, worker.stderr);
  assert.equal((await coordinator.ended).code, 0);
});

test('a coordinator that is told to end serves nobody new, by gRPC and HTTP, and saves the run', async () => {
  const out = place.path('drain');
  const where = ['--port', '0', '--metrics-port', '0', '--json', '--out', out];
  const coordinator = start(['coordinator', ...spec, '--workers', '1', '--steps', '100000', ...where], place.folder);
  const [, address, metrics] = await coordinator.seen(/"coordinator":"([^"]+)","metrics":"([^"]+)"/);
  const worker = start(['worker', '--coordinator', address!, ...free], place.folder, slowEngine(200));
  await coordinator.seen(/"type":"step"/);
  const readyz = async () => (await fetch(metrics!.replace('/metrics', '/readyz'))).status;
  assert.equal(await readyz(), 200);

  type Watching = Client & { watch(request: object): ClientReadableStream<{ status: string }> };
  const types = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: new (...args: unknown[]) => Watching } } };
  };
  const client = new types.grpc.health.v1.Health(address, credentials.createInsecure());
  const seen: string[] = [];
  try {
    for await (const { status } of client.watch({ service: '' }) as AsyncIterable<{ status: string }>) {
      seen.push(status);
      if (status !== 'SERVING') break;
      coordinator.child.kill('SIGTERM');
    }
  } finally {
    client.close();
  }
  assert.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
  assert.equal(await readyz(), 503, 'the step in hand is not over');
  const { code, stderr } = await coordinator.ended;
  assert.equal(code, 130, stderr);
  assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);
  assert.ok(existsSync(join(out, 'final.safetensors')), 'what was learned is there');
});
