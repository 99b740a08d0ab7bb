import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { main } from '../../../src/cli/main.js';
import { measure } from '../../../src/cli/commands/engines.js';
import type { EngineReport } from '../../../src/engine/inspect-engines.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';
import { FakeStream } from './fake-stream.js';

async function lockstep(...words: string[]) {
  const [stdout, stderr] = [new FakeStream(false), new FakeStream(false)];
  const streams = { stdout: stdout.asTerminal, stderr: stderr.asTerminal, env: {} };
  return {
    exitCode: await main(words, streams as Parameters<typeof main>[1]),
    lines: stdout.lines,
    stderr: stderr.text,
  };
}

describe('lockstep engines', () => {
  test('lists every engine, marks the one that auto takes, and says why', async () => {
    const { exitCode, lines, stderr } = await lockstep('engines');
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(
      [...new Set(lines.map((line) => line.split(/\s+/)[1]))], //       as many lines for webgpu as there are GPUs
      ['native', 'wasm', 'cpu', 'webgpu', 'tensorflow', 'is'],
    );
    assert.equal(lines.slice(0, -1).filter((line) => line.startsWith('*')).length, 1);
    for (const line of lines.slice(0, -1))
      assert.match(line, /deterministic +[\d.]+ images\/s \(lenet5\)$|not available: .+; remedy: .+/);
    assert.match(lines.at(-1)!, /auto: plans cover every layer of lenet5/);
  });

  test('--json: an object a line', async () => {
    const reports = (await lockstep('engines', '--json')).lines.map(
      (line) => JSON.parse(line) as EngineReport & { readonly imagesPerSecond?: number },
    );
    assert.ok(reports.length >= 5);
    for (const report of reports) assert.equal(report.available, (report.imagesPerSecond ?? 0) > 0, report.engine);
  });

  test('--explain: every kernel of a plan, and the shares of time add up', async () => {
    const [facts, ...kernels] = (await lockstep('engines', '--explain', 'mlp', '--json')).lines.map(
      (line) => JSON.parse(line) as Record<string, number | string>,
    );
    assert.deepEqual([facts!['model'], facts!['samples']], ['mlp', 96]);
    const total = kernels.reduce((sum, kernel) => sum + Number(kernel['milliseconds']), 0);
    assert.ok(Math.abs(total - Number(facts!['milliseconds'])) < 1e-9);
    const first = kernels.find((k) => k['layer'] === 'dense1' && k['kernel'] === 'dense_forward');
    assert.deepEqual([first!['shapes'], first!['multiplyAdds']], ['784 -> 128', 96 * 784 * 128]);
    assert.equal((await lockstep('engines', '--explain', 'nothing')).exitCode, 2);
  });

  test('a flag that it does not have', async () => {
    const { exitCode, stderr } = await lockstep('engines', '--workers', '3');
    assert.equal(exitCode, 2);
    assert.match(stderr, /--workers/);
  });

  test('measures with the clock that it is handed', async () => {
    let now = 0;
    const clock = { nowMs: () => (now += 250), setTimer: () => () => undefined };
    assert.equal(await measure('wasm', buildModelSpec('mlp'), clock), 128 / 0.25);
  });
});
