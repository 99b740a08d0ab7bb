/** A benchmark in which a process runs that would not end, and that goes on until it is told to end, or fails. */
import { spawn } from 'node:child_process';
import { scratchFolder } from '../../../bench/leave-nothing.js';

const folder = scratchFolder('test');
const forever = 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1000)';
spawn(process.execPath, ['-e', forever], { stdio: ['ignore', 'inherit', 'ignore'] });
process.stdout.write(`${folder}\n`);
if (process.argv[2] === 'fails') throw new Error('it did not go well');
