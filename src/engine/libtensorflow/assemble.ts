import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { complaintIn, type Finished, type Run } from './commands.js';
import { fault } from './faults.js';
import type { Tools } from './install.js';
import { libraries, type TensorflowSource } from './sources.js';
import { companions, tfjsNodeVersion } from './versions.js';

export interface AssembleNeeds {
  readonly source: TensorflowSource;
  readonly isForGpu: boolean;
  readonly tools: Tools;
  readonly run: Run;
  /** An empty folder for what is thrown away; `folder` is below it. */
  readonly scratch: string;
  readonly progress: (text: string) => void;
}

/** What of a wheel is needed, without the 300 MB of other headers: the libraries, CUDA's, and the C interface. */
const wantedMembers =
  '^(tensorflow/lib[^/]*[.]so[^/]*|tensorflow/include/(tensorflow/(c|core/platform)|tsl|xla/tsl)/.*|nvidia/.*|[^/]*[.]dist-info/METADATA)$';

const unpackWheel = `
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if re.match(sys.argv[3], name)])
`;

/**
 * Fills `folder`: tfjs-node's package without its dependencies, in site/ the libraries of the wheel as they lie beside each
 * other in Python, where they find each other and CUDA's, and the binding between the two.
 *
 * @throws LockstepError `INSTALL_DOWNLOAD_FAILED`, `INSTALL_SOURCE_UNUSABLE`, `INSTALL_COMPILE_FAILED`
 */
export async function assemble(folder: string, needs: AssembleNeeds): Promise<void> {
  const { source, scratch, progress } = needs;
  progress(`fetching the kernels of tfjs-node ${tfjsNodeVersion}`);
  await unpackPackage(`@tensorflow/tfjs-node${needs.isForGpu ? '-gpu' : ''}@${tfjsNodeVersion}`, folder, needs);
  await unpackPackage(companions.protobuf, join(folder, 'node_modules/google-protobuf'), needs);
  await unpackPackage(companions.headers, join(scratch, 'headers'), needs);
  for (const name of ['tfjs', 'tfjs-core']) writePlaceholder(join(folder, 'node_modules/@tensorflow', name));

  const site = join(folder, 'site');
  if (source.kind === 'installed') symlinkSync(source.folder, site, 'dir');
  else await unpackTensorflow(source, site, needs);

  progress('compiling the binding');
  await compile(folder, needs);
}

/** What its package asks for by name is lent to it when it is loaded: load.ts. */
function writePlaceholder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ main: 'index.js' })}\n`);
  writeFileSync(join(folder, 'index.js'), "throw new Error('lockstep lends its own copy');\n");
}

/** As npm publishes it; nothing of it is run. */
async function unpackPackage(name: string, to: string, { tools, run, scratch }: AssembleNeeds): Promise<void> {
  const archives = join(scratch, 'archives', name.replaceAll('/', '-'));
  mkdirSync(archives, { recursive: true });
  mkdirSync(to, { recursive: true });
  const packed = await run(
    tools.npm,
    ['pack', '--loglevel=error', '--ignore-scripts', '--pack-destination', archives, name],
    scratch,
  );
  demandDownloaded(name, packed);
  const [archive] = readdirSync(archives);
  if (archive === undefined) throw fault('INSTALL_DOWNLOAD_FAILED', { what: name, reason: 'npm pack wrote nothing' });
  const unpacked = await run(tools.tar, ['-xzf', join(archives, archive), '-C', to, '--strip-components=1'], scratch);
  if (unpacked.code !== 0) demandDownloaded(name, unpacked);
}

function demandDownloaded(what: string, { code, stderr }: Finished): void {
  if (code !== 0) throw fault('INSTALL_DOWNLOAD_FAILED', { what, reason: complaintIn(stderr) });
}

async function unpackTensorflow(
  source: Exclude<TensorflowSource, { kind: 'installed' }>,
  site: string,
  needs: AssembleNeeds,
): Promise<void> {
  const { isForGpu, progress } = needs;
  mkdirSync(site, { recursive: true });
  if (source.kind === 'registry') progress(`fetching libtensorflow ${source.version} (${isForGpu ? 600 : 280} MB)`);
  const wheel = source.kind === 'registry' ? (await fetchWheels([source.requirement], needs))[0]! : source.file;
  progress('unpacking it');
  await unpack(wheel, site, needs);
  const missing = libraries.find((library) => !existsSync(join(site, 'tensorflow', library)));
  if (missing !== undefined)
    throw fault('INSTALL_SOURCE_UNUSABLE', { from: wheel, reason: `the wheel has no tensorflow/${missing}` });
  if (!isForGpu) return;
  progress('fetching the CUDA libraries that it wants (2 to 3 GB)');
  for (const library of await fetchWheels(cudaRequirements(site), needs)) await unpack(library, site, needs);
}

/** What the wheel itself names as the extra `and-cuda`. */
function cudaRequirements(site: string): readonly string[] {
  const [info] = readdirSync(site).filter((name) => name.endsWith('.dist-info'));
  const metadata = readFileSync(join(site, info!, 'METADATA'), 'utf8');
  return [...metadata.matchAll(/^Requires-Dist: (.+?)\s*;\s*extra == ['"]and-cuda['"]/gm)].map((match) => match[1]!);
}

/** The libraries in a wheel do not depend on the version of Python that its tag names, so that any will do. */
const anyPython = ['--python-version', '3.12', '--implementation', 'cp', '--abi', 'cp312'];

/** @returns files */
async function fetchWheels(requirements: readonly string[], { tools, run, scratch }: AssembleNeeds): Promise<string[]> {
  if (requirements.length === 0) return [];
  const wheels = mkdtempSync(join(scratch, 'wheels-'));
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', ...anyPython];
  const args = ['-m', 'pip', 'download', ...options, '--dest', wheels, ...requirements];
  const fetched = await run(tools.python!, args, scratch);
  if (/No module named pip/.test(fetched.stderr))
    throw fault('INSTALL_TOOL_MISSING', { tool: `pip of ${tools.python}`, purpose: 'fetches the wheel' });
  demandDownloaded(requirements.join(', '), fetched);
  return readdirSync(wheels).map((name) => join(wheels, name));
}

async function unpack(wheel: string, site: string, { tools, run, scratch }: AssembleNeeds): Promise<void> {
  const { code, stderr } = await run(tools.python!, ['-c', unpackWheel, wheel, site, wantedMembers], scratch);
  if (code !== 0) throw fault('INSTALL_SOURCE_UNUSABLE', { from: wheel, reason: complaintIn(stderr) });
}

/** Its two files need nothing of Node.js but the headers of Node-API, so that neither node-gyp nor Node's own headers are needed. */
async function compile(folder: string, { tools, run, scratch }: AssembleNeeds): Promise<void> {
  const library = join(folder, 'site/tensorflow');
  const output = join(folder, 'lib/napi-v8');
  mkdirSync(output, { recursive: true });
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
    ...[`-I${join(scratch, 'headers/include')}`, `-I${join(library, 'include')}`],
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(folder, 'binding', file)),
    ...libraries.map((name) => join(library, name)),
    ...['-Wl,-rpath,$ORIGIN/../../site/tensorflow', '-o', join(output, 'tfjs_binding.node')],
  ];
  const { code, stderr } = await run(tools.compiler, args, scratch);
  if (code !== 0) throw fault('INSTALL_COMPILE_FAILED', { compiler: tools.compiler, reason: complaintIn(stderr) });
}
