import type { Msg, NatsConnection } from 'nats';
import type { Clock } from '../../core/clock.js';
import { fault } from '../faults.js';
import { isUncertain } from './connection.js';
import { nodeTtlMs } from './run-ledger.js';

/**
 * Results of runs, asked for at the agent that has them: a request for each piece. Nothing is stored in NATS, and neither end
 * holds more than a few pieces of a file.
 */

const subjectOf = (agent: string): string => `lockstep.files.${agent}`;
const refusalHeader = 'Lockstep-Refusal';
/** Of an answer; a server may take less. */
const pieceBytesMax = 512 * 1024;
/** What a message has beside its content. */
const envelopeBytes = 4096;
/** Pieces that are on their way at the same time: one round trip for each would make long ones slow. */
const piecesAtOnce = 4;
/** The agent reads all of a run's results before it says which they are. */
const listMs = 120_000;
const pieceMs = 10_000;
const pauseMs = 500;

export interface RunFile {
  /** Under the folder of the run, with `/`. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What an agent has. */
export interface RunFilesSource {
  /** The results of a run; none if there are none here. */
  list(run: string): Promise<readonly RunFile[]>;
  read(run: string, name: string, offset: number, bytes: number): Promise<Uint8Array>;
}

type Request =
  | { readonly run: string }
  | { readonly run: string; readonly name: string; readonly offset: number; readonly bytes: number };

/** Answers for as long as the connection lasts, which the client renews with all that it had. */
export async function serveRunFiles(
  connection: NatsConnection,
  agent: string,
  source: RunFilesSource,
  log: { warn(text: string): void },
): Promise<void> {
  const { headers } = await import('nats');
  const answerTo = async (request: Request): Promise<Uint8Array | string> =>
    'name' in request
      ? source.read(request.run, request.name, request.offset, Math.min(request.bytes, pieceBytesMax))
      : JSON.stringify(await source.list(request.run));
  const answer = async (message: Msg): Promise<void> => {
    try {
      message.respond(await answerTo(message.json<Request>()));
    } catch (error) {
      const header = headers();
      header.set(refusalHeader, (error as Error).message);
      message.respond('', { headers: header });
    }
  };
  connection.subscribe(subjectOf(agent), {
    callback: (error, message) => {
      if (error) log.warn(`nobody can fetch results from here: ${error.message}`);
      else void answer(message);
    },
  });
}

/** The files of one agent, from elsewhere. */
export class RunFiles {
  constructor(
    private readonly connection: NatsConnection,
    private readonly agent: string,
    private readonly clock: Clock,
  ) {}

  /** @throws LockstepError `AGENT_SILENT` */
  async list(run: string): Promise<readonly RunFile[]> {
    return (await this.ask({ run }, listMs)).json<readonly RunFile[]>();
  }

  /** @throws LockstepError `AGENT_SILENT` if the agent goes away meanwhile and does not come back */
  async *content(run: string, { name, bytes }: RunFile): AsyncIterable<Uint8Array> {
    const limit = Math.min(pieceBytesMax, (this.connection.info?.max_payload ?? Infinity) - envelopeBytes);
    const asked: Promise<Uint8Array>[] = [];
    for (let offset = 0; offset < bytes || asked.length > 0;) {
      while (offset < bytes && asked.length < piecesAtOnce) {
        const piece = this.ask({ run, name, offset, bytes: Math.min(limit, bytes - offset) }, pieceMs);
        piece.catch(() => undefined); //                              it may fail while one before it is waited for
        asked.push(piece.then(({ data }) => data));
        asked.at(-1)!.catch(() => undefined);
        offset += limit;
      }
      yield await asked.shift()!;
    }
  }

  /** While the agent or the server is away for less than an agent counts as gone, it is asked again. */
  private async ask(request: Request, timeoutMs: number): Promise<Msg> {
    const beganMs = this.clock.nowMs();
    for (;;) {
      try {
        const answer = await this.connection.request(subjectOf(this.agent), JSON.stringify(request), {
          timeout: timeoutMs,
        });
        const reason = answer.headers?.get(refusalHeader) ?? '';
        if (reason !== '') throw fault('AGENT_SILENT', { agent: this.agent, reason });
        return answer;
      } catch (error) {
        if (!isUncertain(error)) throw error;
        if (this.clock.nowMs() - beganMs >= nodeTtlMs)
          throw fault('AGENT_SILENT', { agent: this.agent, reason: reasonOf(error) }, error);
      }
      await new Promise<void>((resolve) => void this.clock.setTimer(pauseMs, resolve));
    }
  }
}

/** The client's own word for it is a number. */
function reasonOf(error: unknown): string {
  return (error as { code?: unknown }).code === '503' ? 'no such agent is connected' : (error as Error).message;
}
