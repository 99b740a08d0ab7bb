import { setTimeout as pause } from 'node:timers/promises';
import type { CommandContext } from '../context.js';
import { readPicture } from '../run-source.js';
import { onSignals } from '../signals.js';
import { authorityIn, type TrustOptions } from '../trust.js';
import { topLines } from '../view/top-lines.js';

const everyMs = 1_000;
/** Of a terminal that does not say. */
const usualWidth = 100;

// What a terminal understands: another screen and back, the cursor away and back, home, and clearing what is left.
const enter = '\u001B[?1049h\u001B[?25l';
const leave = '\u001B[?25h\u001B[?1049l';
const home = '\u001B[H';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';

const ctrlC = '\u0003';

/** `lockstep top`: the live page in a terminal, until the run is over or a key ends it; elsewhere it is printed once. */
export async function run(where: string, options: TrustOptions, { stdout }: CommandContext): Promise<void> {
  const width = () => stdout.columns ?? usualWidth;
  const ca = authorityIn(options);
  let picture = await readPicture(where, ca);
  if (!stdout.isTTY) return void stdout.write(`${topLines(picture, width()).join('\n')}\n`);
  const abort = new AbortController();
  const release = onSignals(
    () => abort.abort(),
    () => process.exit(130),
  );
  const forget = onKeys(() => abort.abort());
  stdout.write(enter);
  try {
    while (!abort.signal.aborted) {
      const lines = topLines(picture, width()).slice(0, (stdout.rows ?? 50) - 2);
      const text = [...lines, '', 'q ends this; the run goes on'].map((line) => `${line}${clearLine}`).join('\n');
      stdout.write(`${home}${text}${clearBelow}`);
      if (picture.report || picture.state === 'failed') break;
      await pause(everyMs, undefined, { signal: abort.signal }).catch(() => undefined);
      const next = await readPicture(where, ca).catch(() => undefined);
      if (!next) break; //                                          the run is over, or its coordinator is
      picture = next;
    }
  } finally {
    stdout.write(leave);
    forget();
    release();
  }
  stdout.write(`${topLines(picture, width()).join('\n')}\n`);
}

/** Calls `end` for q and Ctrl-C. @returns gives the keyboard back */
function onKeys(end: () => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  const onData = (keys: Buffer): void => {
    if (['q', 'Q', ctrlC].some((key) => keys.toString().includes(key))) end();
  };
  stdin.setRawMode(true).on('data', onData).resume();
  return () => void stdin.off('data', onData).setRawMode(false).pause();
}
