/** Simulated time: what will happen, by time, and at one time in the order in which it was asked for. */
export class EventQueue {
  nowMs = 0;
  /** Events that have happened. */
  count = 0;
  private readonly heap: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  private asked = 0;

  /** @param atMs - not before now */
  at(atMs: number, run: () => void): void {
    const event = { atMs: Math.max(atMs, this.nowMs), order: this.asked++, run };
    let i = this.heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.isBefore(i, parent)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Lets the next event happen. @returns whether there was one */
  next(): boolean {
    const first = this.heap[0];
    if (!first) return false;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.sink();
    }
    this.nowMs = first.atMs;
    this.count += 1;
    first.run();
    return true;
  }

  private sink(): void {
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < this.heap.length && this.isBefore(child, least)) least = child;
      if (least === i) return;
      this.swap(i, least);
      i = least;
    }
  }

  private isBefore(i: number, j: number): boolean {
    const [a, b] = [this.heap[i]!, this.heap[j]!];
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  private swap(i: number, j: number): void {
    [this.heap[i], this.heap[j]] = [this.heap[j]!, this.heap[i]!];
  }
}
