const bucketCount = 64;
const noBuckets: readonly ReadonlyMap<string, never>[] = Array.from(
  { length: bucketCount },
  () => new Map<string, never>(),
);

/**
 * Something about each worker, as a value: adding to it gives another one, and leaves this one as it was. What that costs
 * grows with a 64th of the workers, where a copied `Map` takes all of them for each report of each worker.
 */
export class ByWorker<T> {
  constructor(private readonly buckets: readonly ReadonlyMap<string, T>[] = noBuckets) {}

  get(workerId: string): T | undefined {
    return this.buckets[bucketOf(workerId)]!.get(workerId);
  }

  has(workerId: string): boolean {
    return this.buckets[bucketOf(workerId)]!.has(workerId);
  }

  with(workerId: string, value: T): ByWorker<T> {
    const place = bucketOf(workerId);
    const buckets = this.buckets.slice();
    buckets[place] = new Map(buckets[place]).set(workerId, value);
    return new ByWorker(buckets);
  }

  /** In no order that means anything. */
  values(): readonly T[] {
    return this.buckets.flatMap((bucket) => [...bucket.values()]);
  }
}

function bucketOf(workerId: string): number {
  let hash = 0;
  for (let i = 0; i < workerId.length; i++) hash = (hash * 31 + workerId.charCodeAt(i)) | 0;
  return hash & (bucketCount - 1);
}
