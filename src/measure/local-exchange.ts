import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExchangeManner, ExchangeTask, ExchangeTimes, ParticipantAddresses } from './exchange-participant.js';
import type { ToParticipant } from './exchange-participant-main.js';
import { fault } from './faults.js';

type Answer = { readonly answer: unknown } | { readonly error: string };

/** Participants on this machine, each a process of its own, over loopback. */
export class LocalExchange {
  private constructor(private readonly participants: readonly Participant[]) {}

  /** @throws LockstepError `BENCH_PARTICIPANT_FAILED` */
  static async start(worldSize: number, how: ExchangeManner): Promise<LocalExchange> {
    const participants = Array.from({ length: worldSize }, (_, rank) => new Participant(rank));
    const members = await Promise.all(participants.map(async (p) => (await p.answer()) as ParticipantAddresses));
    await Promise.all(participants.map((p, rank) => p.ask({ type: 'connect', rank, members, how })));
    return new LocalExchange(participants);
  }

  /** @returns what each rank found */
  async measure(task: ExchangeTask): Promise<readonly ExchangeTimes[]> {
    return Promise.all(this.participants.map((p) => p.ask({ type: 'measure', ...task }) as Promise<ExchangeTimes>));
  }

  stop(): void {
    for (const participant of this.participants) participant.stop();
  }
}

class Participant {
  private readonly process: ChildProcess;
  private readonly answers: Answer[] = [];
  private wake: (() => void) | undefined;

  constructor(rank: number) {
    this.process = fork(fileURLToPath(new URL('./exchange-participant-main.js', import.meta.url)));
    this.process.on('message', (answer: Answer) => this.push(answer));
    this.process.on('exit', (code, signal) => this.push({ error: `rank ${rank} ended with ${signal ?? code}` }));
  }

  async ask(message: ToParticipant): Promise<unknown> {
    this.process.send(message);
    return this.answer();
  }

  async answer(): Promise<unknown> {
    while (this.answers.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    const answer = this.answers.shift()!;
    if ('error' in answer) throw fault('BENCH_PARTICIPANT_FAILED', { reason: answer.error });
    return answer.answer;
  }

  stop(): void {
    this.process.removeAllListeners('exit');
    if (this.process.connected) this.process.disconnect();
  }

  private push(answer: Answer): void {
    this.answers.push(answer);
    this.wake?.();
  }
}
