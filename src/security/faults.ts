import { faultsFrom, type FaultTable } from '../core/errors.js';

export const securityFaults = {
  NOT_SECURED: {
    exitCode: 2,
    meaning: 'A program was told to listen beyond this machine, or to join a run elsewhere, and has no certificate.',
    message: (f: { where: string }) => `${f.where} is beyond this machine, and there is no certificate for it`,
    remedy:
      'paste the command that the coordinator printed (it has a --token), give --certs DIR (`lockstep certs init`), or say --insecure where everybody in the network is trusted',
  },
  CERTS_UNREADABLE: {
    exitCode: 2,
    meaning: 'A folder of certificates lacks a file, or has one that is none.',
    message: (f: { path: string; reason: string }) => `${f.path} cannot be used: ${f.reason}`,
    remedy: 'make the folder with `lockstep certs init` or `lockstep certs issue`',
  },
  CERTS_EXIST: {
    exitCode: 2,
    meaning: 'A folder for new certificates has some already.',
    message: (f: { path: string }) => `${f.path} is there already`,
    remedy: 'give another --dir; to renew certificates there is `lockstep certs rotate`',
  },
  NO_AUTHORITY: {
    exitCode: 2,
    meaning: 'Certificates or tokens were asked of a folder without the key of the authority.',
    message: (f: { dir: string }) => `${f.dir} has no ca.key, so that nothing can be issued from it`,
    remedy: 'do it where `lockstep certs init` was done, or in the security folder of the coordinator',
  },
  TOKEN_MALFORMED: {
    exitCode: 2,
    meaning: 'A join token is not one, or only a part of one.',
    message: (f: { given: string }) => `${f.given} is no join token`,
    remedy: 'paste the whole command that the coordinator printed, or make a token with `lockstep certs token`',
  },
  OTHER_COORDINATOR: {
    exitCode: 2,
    meaning: 'Whoever listens at the address is not the coordinator for which the token was made.',
    message: (f: { address: string; reason: string }) =>
      `the one that listens at ${f.address} is not the coordinator of the token: ${f.reason}`,
    remedy: 'check --coordinator; if the run was started anew, take the token that it printed now',
  },
  NOT_ADMITTED: {
    exitCode: 2,
    meaning: 'A coordinator refused a certificate or a token.',
    message: (f: { address: string; reason: string }) => `the coordinator at ${f.address} refused us: ${f.reason}`,
    remedy:
      'take a new token (`lockstep certs token`) or certificate (`lockstep certs issue`) of this run; check the clocks of both machines',
  },
  BAD_CERTS_OPTION: {
    exitCode: 2,
    meaning: 'An option of `lockstep certs` has a value that it cannot have.',
    message: (f: { given: string; expects: string }) => `${f.given}: expected ${f.expects}`,
    remedy: '`lockstep certs --help` shows the options',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(securityFaults);
