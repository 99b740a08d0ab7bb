import type { DatasetSource, ResolvedDataset } from '../data/sources.js';
import { resolveDataset } from '../data/sources.js';
import { readIdxContent, sharedBytes } from '../data/idx.js';

type Content = ReturnType<typeof sharedBytes>;

/** Data sets that are read and checked once, for many trials in one process. */
export class SharedData {
  private readonly sets = new Map<string, Promise<ResolvedDataset>>();
  private readonly sources = new Map<string, DatasetSource>();
  private readonly contents = new Map<string, Promise<Content>>();

  /** As `resolveDataset`. */
  readonly find = async (dataset: string): Promise<ResolvedDataset> => {
    let found = this.sets.get(dataset);
    if (!found) this.sets.set(dataset, (found = resolveDataset(dataset)));
    const resolved = await found;
    for (const file of resolved.files) this.sources.set(file.sha256, file);
    return resolved;
  };

  /** What a worker takes for its cache. */
  readonly cache = {
    get: async (sha256: string): Promise<Content | undefined> => {
      let content = this.contents.get(sha256);
      const source = this.sources.get(sha256);
      if (!content && source) this.contents.set(sha256, (content = readIdxContent(source.path)));
      return content;
    },
    /** Initial weights, which are in no file of a data set. */
    put: async (sha256: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      const content = sharedBytes(parts.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of parts) {
        content.set(part, at);
        at += part.length;
      }
      this.contents.set(sha256, Promise.resolve(content));
    },
  };
}
