/** What may not be called where, found in the syntax tree: comments and texts may mention it. */

import ts from 'typescript';
import type { Files } from './files.js';

/** Exactly rounded by IEEE 754 or on integers, hence equal in every Node and on every processor. */
const exactMaths =
  /^(abs|ceil|clz32|floor|fround|imul|max|min|round|sign|sqrt|trunc|PI|LN2|LN10|LOG2E|LOG10E|E|SQRT2|SQRT1_2)$/;

/** The rooms whose arithmetic can reach a weight. */
const weightRooms = /^src\/(core|data|optim|collective|engine|worker)\//;

/** The programs: they alone build real clocks and hand them on. */
const programRooms = /^src\/(coordinator|worker|launch|cli)\//;

/** `Math.pow`, `**` and the like differ between Node versions and processors; `src/core/maths.ts` has our own. */
export function mathsComplaints(files: Files): string[] {
  return complaints(files, weightRooms, (node) => {
    if (
      ts.isPropertyAccessExpression(node) &&
      node.expression.getText() === 'Math' &&
      !exactMaths.test(node.name.text) &&
      node.name.text !== 'random'
    )
      return `Math.${node.name.text} is not the same everywhere: use src/core/maths.ts`;
    if (
      ts.isBinaryExpression(node) &&
      [ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.AsteriskAsteriskEqualsToken].includes(node.operatorToken.kind)
    )
      return '** is not the same everywhere: multiply, or use src/core/maths.ts';
    return undefined;
  });
}

const machineCalls =
  /^(Math\.random|Date\.now|performance\.now|process\.hrtime(\.bigint)?|set(Timeout|Interval|Immediate)|(crypto\.)?random(UUID|Bytes|Int))$/;

/** Time and chance come in through the constructor, so that whole clusters run on simulated time. */
export function machineComplaints(files: Files, exceptions: ReadonlySet<string>): string[] {
  const below = new Map([...files].filter(([path]) => !programRooms.test(path) && !exceptions.has(path)));
  return complaints(below, /^src\//, (node) => {
    if (ts.isCallExpression(node) && machineCalls.test(node.expression.getText()))
      return `${node.expression.getText()}() asks the machine: take a clock or a seed`;
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      return 'new Date() asks the machine: take a clock';
    return undefined;
  });
}

function complaints(files: Files, where: RegExp, judge: (node: ts.Node) => string | undefined): string[] {
  return [...files].flatMap(([path, text]) => {
    if (!where.test(path) || !path.endsWith('.ts')) return [];
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      const complaint = judge(node);
      if (complaint !== undefined)
        found.push(`${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${complaint}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}
