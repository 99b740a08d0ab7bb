import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Client, credentials, loadPackageDefinition, status, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { CoordinatorServer } from '../../../src/transport/grpc/coordinator-server.js';

/** What clients that know nothing of lockstep learn from a coordinator's port. */

async function coordinator(t: TestContext, host: string) {
  const server = new CoordinatorServer('run', { joined: () => undefined, readBlob: () => undefined });
  const port = await server.start({ host, port: 0 });
  t.after(() => server.kill());
  return { server, address: `127.0.0.1:${port}` };
}

/** The health service as gRPC defines it, by a plain client of its proto file. */
function health(t: TestContext, address: string) {
  type Answer = (error: ServiceError | null, answer?: { status: string }) => void;
  const types = loadPackageDefinition(loadSync(protoPath, { enums: String })) as unknown as {
    grpc: { health: { v1: { Health: new (...args: unknown[]) => Client & { check(r: object, a: Answer): void } } } };
  };
  const client = new types.grpc.health.v1.Health(address, credentials.createInsecure());
  t.after(() => client.close());
  return (service: string) =>
    new Promise<string>((resolve) =>
      client.check({ service }, (error, answer) => resolve(error ? status[error.code] : answer!.status)),
    );
}

/** Server reflection, without the library that answers: one field of request and of answer, as protobuf has them. */
function reflectedServices(t: TestContext, address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  t.after(() => client.close());
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const call = client.makeBidiStreamRequest<string, Buffer>(
    path,
    (text) => Buffer.concat([Buffer.from([(7 << 3) | 2, text.length]), Buffer.from(text)]), // list_services = 7
    (bytes) => bytes,
  );
  return new Promise((resolve) => {
    call.on('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1'));
      call.end();
    });
    call.on('error', (error: ServiceError) => resolve(status[error.code]));
    call.write('*');
  });
}

describe('a coordinator', () => {
  test('says that it serves, and no more once it drains', async (t) => {
    const { server, address } = await coordinator(t, '127.0.0.1');
    const check = health(t, address);
    await server.serving(true);
    assert.equal(await check(''), 'SERVING');
    assert.equal(await check('lockstep.v1.Coordinator'), 'SERVING');
    assert.equal(await check('lockstep.v1.Nothing'), 'NOT_FOUND');
    await server.serving(false);
    assert.equal(await check(''), 'NOT_SERVING');
    assert.equal(await check('lockstep.v1.Coordinator'), 'NOT_SERVING');
  });

  test('tells this machine which services it has, and others only behind certificates', async (t) => {
    const here = await coordinator(t, '127.0.0.1');
    await here.server.serving(true);
    const listed = await reflectedServices(t, here.address);
    for (const name of ['lockstep.v1.Coordinator', 'lockstep.v1.Exchange'])
      assert.ok(listed.includes(name), `${name} in ${listed}`);
    const anywhere = await coordinator(t, '0.0.0.0'); //                  as --insecure has it
    await anywhere.server.serving(true);
    assert.equal(await health(t, anywhere.address)(''), 'SERVING');
    assert.equal(await reflectedServices(t, anywhere.address), 'UNIMPLEMENTED');
  });
});
