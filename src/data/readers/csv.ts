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
  const [names = [], ...rows] = await rowsOf(text, separator, path);
  const column = (name: string): readonly string[] | undefined => {
    const at = names.indexOf(name);
    return at < 0 ? undefined : rows.map((row) => row[at]!);
  };
  return tableDataset(path, { length: rows.length, names, column }, columns);
}

/** Quotes may hold separators, line ends, and quotes that are doubled; empty lines are left out. */
async function rowsOf(text: string, delimiter: string, path: string): Promise<string[][]> {
  const { parse } = await import('csv-parse/sync');
  try {
    return parse(text, { bom: true, delimiter, skip_empty_lines: true });
  } catch (error) {
    throw fault('READER_INPUT', { path, reason: (error as Error).message }, error); // names what is wrong, and the line
  }
}
