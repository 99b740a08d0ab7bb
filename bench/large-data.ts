/**
 * A data set of 20 GB, read in place: resident memory of the workers, and whether a step ever waits for its input.
 *
 *     npm run build && node dist/bench/large-data.js [steps, default 400] [workers, default 2]
 *
 * The file is sparse: 6.5 million pictures of 32 x 32 x 3 zero bytes, in a random order. The same run over 2000 pictures that
 * each worker holds in memory says how fast steps are that wait for no file. A wider layer then makes the engines so slow that
 * they take about 5000 pictures a second. Linux only. Prints one JSON object: samples a second from memory, from the file,
 * and from the file at that pace; what share of a step is a wait for input; and the largest resident set of a worker (MB).
 */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/core/paths.js';
import { npyHeader } from '../src/core/npy-header.js';
import { train } from '../src/index.js';
import { scratchFolder } from './leave-nothing.js';

const [steps = '400', workers = '2'] = process.argv.slice(2);
const pacedSpeed = 5000;
const units = 64;
const pictureBytes = 32 * 32 * 3;
const count = Math.ceil(20e9 / pictureBytes);
const folder = scratchFolder('large');

const size = writeZeros('x.npy', '|u1', [count, 32, 32, 3], pictureBytes);
writeZeros('y.npy', '|u1', [count], 1);
const file = `await data.npy({ x: new URL('x.npy', import.meta.url), y: new URL('y.npy', import.meta.url) })`;
const memory = `data.arrays({
  x: { values: new Uint8Array(2000 * ${pictureBytes}), shape: [32, 32, 3] },
  y: { values: new Uint8Array(2000) },
})`;
const held = await measure('memory', memory, units);
const read = await measure('file', file, units);
const wider = await measure('wider', memory, widthFor(held)); //   wide layers are faster for their size: once more
const paced = await measure('paced', file, widthFor(wider));
const result = { steps: Number(steps), workers: Number(workers), fileGB: size / 1e9 };
process.stdout.write(`${JSON.stringify({ ...result, memory: held, file: read, paced })}\n`);

/** Of the layer that would make this run as fast as wanted, if time went by size alone. */
function widthFor({ units, samplesPerSecond }: { readonly units: number; readonly samplesPerSecond: number }): number {
  return Math.ceil((units * samplesPerSecond) / pacedSpeed);
}

/** @returns bytes of the file */
function writeZeros(name: string, type: string, shape: readonly number[], sampleBytes: number): number {
  const header = npyHeader(type, shape);
  const size = header.length + count * sampleBytes;
  writeFileSync(join(folder, name), header);
  truncateSync(join(folder, name), size);
  return size;
}

/** @param set - the expression in the run's module that opens its training set; evaluations look at one sample */
async function measure(name: string, set: string, units: number) {
  const path = join(folder, `${name}.mjs`);
  const library = JSON.stringify(join(packageRoot, 'dist', 'src', 'index.js'));
  writeFileSync(
    path,
    `import { data } from ${library};
const train = ${set};
export default {
  model: ({ tf }) =>
    tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [32, 32, 3] }),
        tf.layers.dense({ units: ${units}, activation: 'relu' }),
        tf.layers.dense({ units: 10 }),
      ],
    }),
  data: { train, validation: { ...train, length: 1 } },
};
`,
  );
  const cacheDir = join(folder, `cache-${name}`);
  const run = train(path, {
    workers: Number(workers),
    globalBatchSize: 512,
    microBatchSize: 32,
    steps: Number(steps),
    out: join(folder, `run-${name}`),
    cacheDir,
  });
  let residentBytes = 0;
  for await (const event of run)
    if (event.type === 'step' && event.step % 20 === 0) residentBytes = Math.max(residentBytes, peakOf(cacheDir));
  const { report } = await run.result;
  const [samplesPerSecond, residentMBMax] = [Math.round(report.imagesPerSecond), Math.round(residentBytes / 1e6)];
  return { units, samplesPerSecond, inputWaitRatio: report.inputWaitRatio ?? 0, residentMBMax };
}

/** The largest resident set so far, in bytes, among processes whose command line mentions `text`. */
function peakOf(text: string): number {
  const peaks = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)) return 0;
        return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      } catch {
        return 0; //                                                  it has just ended
      }
    });
  return Math.max(...peaks);
}
