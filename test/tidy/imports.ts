/** Which file imports which, by the compiler's own parser. */

import { posix } from 'node:path';
import ts from 'typescript';
import type { Files } from './files.js';

export interface Import {
  readonly from: string;
  /** As written: `../core/errors.js`, `node:fs`, `@grpc/grpc-js`. */
  readonly specifier: string;
  /** The source file that it means; undefined for packages. */
  readonly target: string | undefined;
  /** Whether loading `from` loads it first: not so for types, `import()` and the entry files of threads. */
  readonly loads: boolean;
}

/** Imports, exports-from, `import()`, and the entry files of threads and processes: `new URL('./x.js', import.meta.url)`. */
export function importsOf(files: Files): Import[] {
  return [...files]
    .filter(([from]) => /\.(ts|mjs|js)$/.test(from))
    .flatMap(([from, text]) => {
      const loaded = loadedSpecifiers(ts.createSourceFile(from, text, ts.ScriptTarget.ES2023));
      // The scanner of files does not see `export * as x from`, the parser sees no `import()`.
      const named = ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
      const entries = [...text.matchAll(/new URL\(\s*['"](\.[^'"]+\.js)['"],\s*import\.meta\.url/g)].map(
        (match) => match[1] ?? '',
      );
      return [...new Set([...named, ...loaded, ...entries])].map((specifier) => ({
        from,
        specifier,
        target: targetOf(from, specifier),
        loads: loaded.has(specifier),
      }));
    });
}

/** The specifiers of imports and exports that are not for types alone. */
function loadedSpecifiers(source: ts.SourceFile): Set<string> {
  const specifiers = source.statements.map((statement) => {
    const isType =
      (ts.isImportDeclaration(statement) && importsTypesOnly(statement.importClause)) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly);
    const isEither = ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement);
    const specifier = isEither ? statement.moduleSpecifier : undefined;
    return !isType && specifier && ts.isStringLiteral(specifier) ? specifier.text : undefined;
  });
  return new Set(specifiers.filter((specifier) => specifier !== undefined));
}

function importsTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false; // `import './x.js'`: for its effect
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = clause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every((e) => e.isTypeOnly)
  );
}

/** Programs outside src/ import what was compiled: dist/src/x.js is src/x.ts. */
function targetOf(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(posix.dirname(from), specifier).replace(/^dist\//, '');
  return path.endsWith('.mjs') ? path : path.replace(/\.js$/, '.ts');
}

/** `prom-client` of `prom-client/lib/x`, `@grpc/grpc-js` of `@grpc/grpc-js/build/y`; undefined for files and built-ins. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
