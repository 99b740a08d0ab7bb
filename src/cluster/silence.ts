/**
 * Who has been silent for too long: heartbeats judged by a clock that is handed in.
 *
 * Silence counts only while the judge itself was running: after a pause of its own (a stopped process, a long garbage
 * collection) everybody gets a fresh start, because what they sent meanwhile has not been read yet.
 */
export class SilenceJudge {
  private readonly heardMs = new Map<string, number>();
  private judgedMs: number | undefined;

  /** @param timeoutMs - silence after which a worker is lost @param tickMs - how often `judge` is called */
  constructor(
    private readonly timeoutMs: number,
    private readonly tickMs: number,
  ) {}

  heard(workerId: string, nowMs: number): void {
    this.heardMs.set(workerId, nowMs);
  }

  forget(workerId: string): void {
    this.heardMs.delete(workerId);
  }

  /** Workers that have been silent for `timeoutMs`. Each is named once, then forgotten. */
  judge(nowMs: number): readonly { readonly workerId: string; readonly silentMs: number }[] {
    const pausedMs = nowMs - (this.judgedMs ?? nowMs) - this.tickMs;
    this.judgedMs = nowMs;
    if (pausedMs > this.tickMs) {
      for (const workerId of this.heardMs.keys()) this.heardMs.set(workerId, nowMs);
      return [];
    }
    const silent = [...this.heardMs].map(([workerId, heardMs]) => ({ workerId, silentMs: nowMs - heardMs }));
    const lost = silent.filter(({ silentMs }) => silentMs >= this.timeoutMs);
    for (const { workerId } of lost) this.forget(workerId);
    return lost;
  }
}
