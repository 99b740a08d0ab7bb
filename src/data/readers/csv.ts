import { readFile } from 'node:fs/promises';

import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { pathOf, unopened, type FilePath } from './paths.js';
import { tableDataset, type TableColumns } from './table.js';

export interface CsvOptions extends TableColumns {
  /** Between two fields. Default `,`. */
  readonly separator?: string;
}

/**
 * A file of comma-separated values with a first line of names, whole in memory; fields may be quoted.
 *
 * @throws LockstepError `READER_INPUT`, naming the line
 */
export async function csv(file: FilePath, { separator = ',', ...columns }: CsvOptions): Promise<Dataset> {
  const path = pathOf(file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unopened(path, error);
  });
  const [names = [], ...rows] = parseCsv(text, separator);
  rows.forEach(({ length }, i) => {
    if (length !== names.length)
      throw fault('READER_INPUT', {
        path,
        reason: `row ${i + 1} has ${length} fields, its first line ${names.length}`,
      });
  });
  const column = (name: string): readonly string[] | undefined => {
    const at = names.indexOf(name);
    return at < 0 ? undefined : rows.map((row) => row[at]!);
  };
  return tableDataset(path, { length: rows.length, names, column }, columns);
}

/** Rows of fields. Quotes may hold separators, line ends, and quotes that are doubled; empty lines are left out. */
function parseCsv(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let isQuoted = false;
  const endRow = (): void => {
    row.push(field);
    if (row.length > 1 || field !== '') rows.push(row);
    [row, field] = [[], ''];
  };
  for (let i = text.startsWith('\ufeff') ? 1 : 0; i < text.length; i++) {
    const c = text[i]!;
    if (isQuoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') field += text[++i];
      else isQuoted = false;
    } else if (c === '"' && field === '') isQuoted = true;
    else if (c === separator) {
      row.push(field);
      field = '';
    } else if (c === '\n') endRow();
    else if (c !== '\r' || text[i + 1] !== '\n') field += c;
  }
  if (field !== '' || row.length > 0) endRow();
  return rows;
}
