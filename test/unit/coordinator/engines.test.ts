import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel, FromCoordinator, FromWorker } from '../../../src/cluster/session.js';
import { WorkerSessions } from '../../../src/coordinator/worker-sessions.js';
import { numericsVersion, protocolVersion } from '../../../src/core/versions.js';

const channel: Channel<FromCoordinator, FromWorker> = {
  send: () => undefined,
  listen: () => undefined,
  close: () => undefined,
};

/** What the report would say of workers with these engines. */
function enginesOf(...workers: readonly { engine: string; deterministic: boolean }[]) {
  const sessions = new WorkerSessions('run', workers.length);
  for (const [i, { engine, deterministic }] of workers.entries()) {
    const hello = {
      kind: 'hello',
      protocolVersion,
      numericsVersion,
      workerId: `w${i}`,
      host: 'here',
      pid: i,
      metricsAddress: '',
    } as const;
    const ready = {
      kind: 'ready',
      address: 'here:1',
      engine,
      deterministic,
      parameterCount: 1,
      weightsDigest: 'same',
    } as const;
    sessions.makeReady(sessions.admit(hello, channel), ready);
  }
  return sessions.engines();
}

test('native and wasm have the same bits, so that workers may mix them', () => {
  const native = { engine: 'native', deterministic: true };
  const wasm = { engine: 'wasm', deterministic: true };
  assert.deepEqual(enginesOf(wasm), { engine: 'wasm', bitExact: true });
  assert.deepEqual(enginesOf(native, wasm), { engine: 'native+wasm', bitExact: true });
});

test('a mix with another engine, and one that does not repeat its bits, are not exact', () => {
  const mixed = enginesOf({ engine: 'wasm', deterministic: true }, { engine: 'cpu', deterministic: true });
  assert.equal(mixed.bitExact, false);
  assert.match(mixed.bitExactReason ?? '', /cpu, wasm/);
  const gpu = { engine: 'webgpu', deterministic: false };
  const reason = 'engine webgpu is not claimed deterministic: another device or driver may give other bits';
  assert.equal(enginesOf(gpu).bitExactReason, reason);
  const three = enginesOf(gpu, { engine: 'native', deterministic: true }, { engine: 'wasm', deterministic: true });
  assert.deepEqual(three, {
    engine: 'native+wasm+webgpu',
    bitExact: false,
    bitExactReason: `${reason}; workers used different engines: native, wasm, webgpu`,
  });
});
