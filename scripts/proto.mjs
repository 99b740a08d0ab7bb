// Generates src/transport/grpc/generated from proto/; with --check only says whether it is current.
//
//     npm run proto [-- --check]
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const committed = join(root, 'src/transport/grpc/generated');
const loader = dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json'));
const generator = join(loader, 'build/bin/proto-loader-gen-types.js');
// The same options as in src/transport/grpc/definitions.ts.
const options = [
  '--longs=Number',
  '--enums=String',
  '--defaults',
  '--oneofs',
  '--grpcLib=@grpc/grpc-js',
  '--importFileExtension=.js',
];

const fresh = mkdtempSync(join(tmpdir(), 'lockstep-proto-'));
try {
  const files = ['coordinator.proto', 'doctor.proto', 'exchange.proto', 'gate.proto'];
  execFileSync(
    process.execPath,
    [generator, ...options, `--outDir=${fresh}`, '-I', join(root, 'proto'), '--', ...files],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  for (const name of filesIn(fresh)) {
    const path = join(fresh, name); //                            the generator writes where the clone lies: that is nobody's business
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(join(root, 'proto'), 'proto'));
  }
  if (process.argv.includes('--check')) {
    const differing = [...new Set([...filesIn(fresh), ...filesIn(committed)])].filter(
      (name) => read(fresh, name) !== read(committed, name),
    );
    if (differing.length > 0) {
      console.error(`proto types are not current (${differing.join(', ')}): run npm run proto`);
      process.exitCode = 1;
    }
  } else {
    rmSync(committed, { recursive: true, force: true });
    cpSync(fresh, committed, { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true });
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

function read(folder, name) {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}
