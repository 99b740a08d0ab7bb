import { field, runCommands as run } from './field.js';
import { oneOf, toggle } from './values.js';

/** Options of the exchange between workers. All but the local ones are the same for all workers, and belong to the spec. */
export const exchangeFields = {
  topology: field('topology', oneOf(['auto', 'mesh', 'direct', 'star']), {
    group: 'Network',
    commands: run,
    placeholder: 'auto|mesh|direct|star',
    default: 'auto',
    mayChange: true,
    about:
      'Who adds up which part of the gradient: with `mesh` every worker a part, which moves the fewest bytes; with `direct` everybody all of it, which takes one hop less; with `star` the coordinator all of it, so that workers need only be able to reach the coordinator, and nobody them; `auto` chooses between the first two by the size of the model and the number of workers. The result is the same.',
  }),
  checksum: field('checksum', toggle, {
    group: 'Network',
    commands: run,
    default: false,
    mayChange: true,
    about: 'Checks what workers send each other with a CRC32, beside the checksums of the network itself.',
  }),
  exchangeMemory: field('exchange-memory', oneOf(['auto', 'off']), {
    group: 'Network',
    commands: ['train', 'worker'],
    placeholder: 'auto|off',
    default: 'auto',
    local: true,
    about:
      'Whether workers of one host pass their sums through memory (8 MiB a worker in /dev/shm, Linux), which takes a fraction of the time that sockets do. `auto`: where both see it; the bytes travel over the network otherwise, and always between hosts.',
  }),
} as const;
