/** Logs: to stderr for people (or their log collector), and to a file in the run's folder. Never to stdout. */

import { destination, multistream, pino, stdTimeFunctions, type Level, type Logger } from 'pino';
import pretty from 'pino-pretty';
import type { Output } from './view/run-view.js';
import { wantsColour } from './view/create-view.js';

export type LogLevel = Level | 'silent';

export interface ProgramLog {
  readonly logger: Logger;
  /** Also writes to a file, with its folder created; what was logged before is not in it. At least `info` goes there. */
  readonly toFile: (file: string) => void;
  /** Closes the file. What is logged afterwards goes to stderr only. */
  readonly close: () => void;
}

export interface LogOptions {
  /** `coordinator`, or a worker's name: on every line. */
  readonly program: string;
  /** For stderr. */
  readonly level: LogLevel;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * All writes are synchronous: the last lines before a crash are the ones that matter, and there are few of them.
 */
export function createLog({ program, level, stderr, environment }: LogOptions): ProgramLog {
  const fileLevel = level === 'trace' || level === 'debug' ? level : 'info';
  let file: ReturnType<typeof destination> | undefined;
  const streams = multistream([{ level: fileLevel, stream: { write: (line) => void file?.write(line) } }]);
  if (level !== 'silent') streams.add({ level, stream: stderr.isTTY ? prettyStream(stderr, environment) : stderr });
  const logger = pino({ level: fileLevel, base: { program }, timestamp: stdTimeFunctions.isoTime }, streams);
  return {
    logger,
    toFile(path) {
      file?.end();
      file = destination({ dest: path, sync: true, mkdir: true });
    },
    close() {
      file?.end();
      file = undefined;
    },
  };
}

function prettyStream(stderr: Output, environment: Readonly<Record<string, string | undefined>>) {
  return pretty({
    sync: true,
    colorize: wantsColour(stderr, environment),
    destination: stderr as NodeJS.WriteStream,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,program',
    messageFormat: '{program}: {msg}',
  });
}
