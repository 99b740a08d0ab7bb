/** What can be wrong with a command line before its options are looked at. */

import { faultsFrom, type FaultKind, type FaultTable } from '../core/errors.js';

export const cliFaults = {
  UNKNOWN_COMMAND: {
    exitCode: 2,
    meaning: 'A command or help topic that lockstep does not have.',
    message: ({ name, hint }) => `unknown command ${name}${hint}`,
    remedy: '`lockstep --help` lists the commands; `lockstep help errors` is the other topic',
  } satisfies FaultKind<{ name: string; hint: string }>,
  COMMAND_MISSING: {
    exitCode: 2,
    meaning: 'Options without a command in front of them.',
    message: ({ flag }) => `${flag} stands where a command is expected`,
    remedy: 'put the command first: `lockstep train --workers 3`',
  } satisfies FaultKind<{ flag: string }>,
  EXCESS_ARGUMENT: {
    exitCode: 2,
    meaning: 'A word that is neither a flag nor the value of one.',
    message: ({ command, given }) => `lockstep ${command} does not know what to do with ${given}`,
    remedy: 'remove it, or put the flag that it belongs to in front of it',
  } satisfies FaultKind<{ command: string; given: string }>,
  BAD_CHOICE: {
    exitCode: 2,
    meaning: 'A flag was given a value that is not among those that it takes.',
    message: ({ flag, given, choices }) => `${flag} ${given}: expected one of ${choices}`,
    remedy: 'choose one of them',
  } satisfies FaultKind<{ flag: string; given: string; choices: string }>,
  OUT_IS_THERE: {
    exitCode: 2,
    meaning: 'What would be written is there already, and nothing is overwritten.',
    message: ({ out }) => `--out ${out} is there already`,
    remedy: 'choose another --out, or remove it',
  } satisfies FaultKind<{ out: string }>,
  BAD_USAGE: {
    exitCode: 2,
    meaning: 'A command line that cannot be read.',
    message: ({ message }) => message,
    remedy: '`lockstep help COMMAND` shows what a command takes',
  } satisfies FaultKind<{ message: string }>,
} as const satisfies FaultTable;

export const cliFault = faultsFrom(cliFaults);
