/** What a program has opened, to be closed in the opposite order. */
export class Teardown {
  private readonly steps: (() => unknown)[] = [];

  /** @param close - called once, when everything that was opened later is closed */
  later(close: () => unknown): void {
    this.steps.push(close);
  }

  /** @throws what a step throws; those before it are left out then */
  async run(): Promise<void> {
    for (const close of this.steps.splice(0).reverse()) await close();
  }
}
