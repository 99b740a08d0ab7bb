/** Rules about who may import whom. Each returns complaints, one a line; none is good. */

import type { Files } from './files.js';
import { importsOf, packageOf } from './imports.js';

const foundation = ['config', 'cluster', 'data', 'optim', 'collective', 'store', 'metrics', 'live', 'security'];
const machinery = ['engine', 'transport'];
/** What a user's own code meets: above the data that it gives, below the engines that call it. */
const meeting = ['own'];
const programs = ['coordinator', 'worker'];

/** ARCHITECTURE.md, "Rooms": what a room may import beside itself. Rooms of one level do not import each other. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ...Object.fromEntries(foundation.map((room) => [room, ['core']])),
  own: ['core', 'data'],
  engine: ['core', ...foundation, ...meeting],
  transport: ['core', ...foundation],
  ...Object.fromEntries(programs.map((room) => [room, ['core', ...foundation, ...meeting, ...machinery]])),
  agent: ['core', ...foundation, ...machinery],
  measure: ['core', ...foundation, ...machinery],
  launch: ['core', ...foundation, ...meeting, ...machinery, ...programs],
  lab: ['core', ...foundation, ...meeting, ...machinery, ...programs, 'measure'],
  cli: ['core', ...foundation, ...meeting, ...machinery, ...programs, 'launch', 'agent', 'measure', 'lab'],
  program: ['core', ...foundation, ...meeting, ...machinery, ...programs, 'launch', 'cli'],
  index: ['core', ...foundation, ...meeting, ...machinery, ...programs, 'program'],
};

/** Packages that belong to one room, so that replacing one means replacing one room. */
const owners: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^@tensorflow\//, ['engine', 'own', 'program']],
  [/^(@grpc\/|grpc-health-check$|nats$)/, ['transport']],
  [/^(fast-png|jpeg-js|hyparquet)$/, ['data']],
  [/^prom-client$/, ['metrics']],
  [/^(zod|yaml)$/, ['config']],
  [/^(@peculiar\/x509|reflect-metadata)$/, ['security']],
  [/^(commander|cli-progress|pino-pretty)$/, ['cli']],
];

/** `core` of src/core/errors.ts, `index` of src/index.ts. */
function roomOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

export function layerComplaints(files: Files): string[] {
  return importsOf(files).flatMap(({ from, specifier, target }) => {
    const room = roomOf(from);
    const mayImport = allowed[room];
    if (mayImport === undefined) return [`${from}: src/${room} is no room of the import table`];
    if (target !== undefined) {
      if (!target.startsWith('src/')) return [`${from} imports ${target}, which is outside src/`];
      const other = roomOf(target);
      return other === room || mayImport.includes(other)
        ? []
        : [`${from} imports ${target}: ${room} may not import ${other}`];
    }
    const name = packageOf(specifier);
    if (name === undefined) return [];
    if (room === 'core') return [`${from} imports ${name}: core imports nothing but Node's own modules`];
    const owner = owners.find(([pattern]) => pattern.test(name));
    return owner && !owner[1].includes(room)
      ? [`${from} imports ${name}, which belongs to src/${owner[1].join(', src/')}`]
      : [];
  });
}

export function missingImportComplaints(files: Files): string[] {
  return importsOf(files)
    .filter(({ target }) => target !== undefined && !files.has(target) && !target.includes('/generated/'))
    .map(({ from, target }) => `${from} imports ${target}, which does not exist`);
}

/** Files that load each other. Types and threads may point back: they need nothing to be loaded first. */
export function cycleComplaints(files: Files): string[] {
  const imports = importsOf(files).filter(({ loads }) => loads);
  const done = new Set<string>();
  const complaints: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      complaints.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { from, target } of imports) if (from === path && target !== undefined) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return complaints;
}

/** What tests have in place of a network. */
const memoryTwin = /^src\/transport\/memory\//;

/**
 * Files of src/ that no program reaches. Programs are the library, the command line, what scripts, benchmarks and the
 * `bin` import, and each room's faults, which `lockstep help errors` finds by name. In-memory twins are for tests.
 */
export function deadFileComplaints(files: Files): string[] {
  const imports = importsOf(files);
  const reachedFrom = (roots: RegExp): ReadonlySet<string> => {
    const reached = new Set<string>();
    const reach = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const { from, target } of imports) if (from === path && target !== undefined) reach(target);
    };
    for (const path of files.keys()) if (roots.test(path)) reach(path);
    return reached;
  };
  const byPrograms = reachedFrom(/^src\/(index\.ts|cli\/main\.ts|[^/]+\/faults\.ts)$|^(scripts|bin|bench)\//);
  const byTests = reachedFrom(/^test\//);
  return [...files.keys()]
    .filter(
      (path) => /^src\/.*\.ts$/.test(path) && !byPrograms.has(path) && !(memoryTwin.test(path) && byTests.has(path)),
    )
    .map((path) => `${path} is reached by no program`);
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Packages that src/ imports without declaring them, and declared ones that nothing names. */
export function dependencyComplaints(files: Files, manifest: Manifest): string[] {
  const published = { ...manifest.dependencies, ...manifest.peerDependencies };
  const complaints = new Set<string>();
  for (const { from, specifier } of importsOf(files)) {
    const name = packageOf(specifier);
    if (name === undefined) continue;
    if (from.startsWith('src/') && !(name in published))
      complaints.add(`${from} imports ${name}, which is no dependency`);
  }
  const everything = [...files]
    .filter(([path]) => !path.endsWith('.json') && !path.endsWith('.md'))
    .map(([, text]) => text)
    .join('\n');
  for (const name of Object.keys(manifest.dependencies ?? {}))
    if (!everything.includes(`'${name}`)) complaints.add(`package.json: dependency ${name} is used nowhere`);
  return [...complaints];
}
