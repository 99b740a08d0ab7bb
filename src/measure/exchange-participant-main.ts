/** One participant as a process of its own: it does what its parent asks for, and ends with it. */
import { systemClock } from '../core/clock.js';
import {
  ExchangeParticipant,
  type ExchangeManner,
  type ExchangeTask,
  type ParticipantAddresses,
} from './exchange-participant.js';

export type ToParticipant =
  | {
      readonly type: 'connect';
      readonly rank: number;
      readonly members: readonly ParticipantAddresses[];
      readonly how: ExchangeManner;
    }
  | ({ readonly type: 'measure' } & ExchangeTask);

const participant = new ExchangeParticipant(systemClock);
const tell = (message: unknown): void => void process.send!(message);
const fail = (error: unknown): void => {
  tell({ error: error instanceof Error ? error.message : String(error) });
};

process.on('disconnect', () => {
  participant.stop();
  process.exit();
});
process.on('message', (message: ToParticipant) => {
  const work =
    message.type === 'connect'
      ? participant.connect(message.rank, message.members, message.how, fail)
      : participant.measure(message);
  work.then((answer) => tell({ answer }), fail);
});
tell({ answer: await participant.start({ host: '127.0.0.1', port: 0 }) });
