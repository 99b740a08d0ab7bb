/** What a GPU can do at most, measured with small kernels: float32 operations, memory, and how long an answer takes. */

export interface DeviceSpeed {
  /** 10^12 operations a second, a fused multiplication and addition counting as two. */
  readonly teraflops: number;
  /** 10^9 bytes a second, read and written. */
  readonly gigabytes: number;
  /** Milliseconds of a submission that does nothing but copy four bytes, until they are here. */
  readonly answer: number;
}

const threads = 256;

export async function measureDevice(device: GPUDevice, isQuick: boolean): Promise<DeviceSpeed> {
  return {
    answer: await answerTime(device, isQuick ? 5 : 200),
    gigabytes: await copySpeed(device, isQuick ? 2 ** 20 : 2 ** 30),
    teraflops: await arithmeticSpeed(device, isQuick ? 4 : 16_384, isQuick ? 16 : 4096),
  };
}

const storage = (): number => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

async function answerTime(device: GPUDevice, rounds: number): Promise<number> {
  const here = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const there = device.createBuffer({ size: 16, usage: storage() });
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const begin = performance.now();
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(there, 0, here, 0, 4);
    device.queue.submit([encoder.finish()]);
    await here.mapAsync(GPUMapMode.READ);
    here.unmap();
    times.push(performance.now() - begin);
  }
  return times.toSorted((a, b) => a - b)[times.length >> 1]!;
}

async function copySpeed(device: GPUDevice, bytes: number): Promise<number> {
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: storage() }));
  const groups = Math.min(65_535, bytes / 16 / threads);
  const code = `
@group(0) @binding(0) var<storage, read> from_: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> to: array<vec4f>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < arrayLength(&to); i += ${groups * threads}u) { to[i] = from_[i]; }
}`;
  const milliseconds = await kernelTime(device, code, [from!, to!], groups);
  for (const buffer of [from, to]) buffer!.destroy();
  return (2 * bytes) / milliseconds / 1e6;
}

async function arithmeticSpeed(device: GPUDevice, groups: number, rounds: number): Promise<number> {
  const to = device.createBuffer({ size: groups * threads * 4, usage: storage() });
  const chains = 8;
  const each = (line: (i: number) => string): string => Array.from({ length: chains }, (_, i) => line(i)).join('\n');
  const code = `
@group(0) @binding(0) var<storage, read_write> to: array<f32>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = f32(id.x) * 1e-9;
  let b = 1.0 - a;
  ${each((i) => `var s_${i} = vec4f(a, b, a + ${i}.0, b + ${i}.0);`)}
  for (var turn = 0u; turn < ${rounds}u; turn++) { ${each((i) => `s_${i} = fma(s_${i}, vec4f(b), vec4f(a));`)} }
  let sum = ${Array.from({ length: chains }, (_, i) => `s_${i}`).join(' + ')};
  to[id.x] = sum.x + sum.y + sum.z + sum.w;
}`;
  const milliseconds = await kernelTime(device, code, [to], groups);
  to.destroy();
  return (groups * threads * rounds * chains * 4 * 2) / milliseconds / 1e9;
}

const turns = 12;

/** Of one run, milliseconds. */
async function kernelTime(device: GPUDevice, code: string, buffers: readonly GPUBuffer[], groups: number) {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const run = async (times: number): Promise<number> => {
    const begin = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  // The clock of an idle device is low: the best of some turns counts.
  let best = Infinity;
  for (let turn = 0; turn < turns; turn++) best = Math.min(best, (await run(5)) / 5);
  return best;
}
