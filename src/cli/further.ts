/** The commands beside those that train, each in a file by what it is for. */

import type { Command as Commander } from 'commander';
import { addCacheCommand, cacheFlags } from './cache-command.js';
import { addCertsCommand, certsFlags } from './certs.js';
import type { CommandContext } from './context.js';
import { addDoctorCommand, doctorFlags } from './doctor-command.js';
import { addLabCommands, labFlags } from './lab-commands.js';
import { addOnlookingCommands, onlookingFlags } from './onlooking.js';
import { addQueueCommands, launchFlags, queueFlags, type QueueActions } from './queue-commands.js';
import { addRunsCommand, runsFlags } from './runs-command.js';
import { addTrainedCommands, trainedFlags } from './trained.js';

/** Commands and their flags, for what checks that documents show nothing else. */
export const furtherFlags: Readonly<Record<string, readonly string[]>> = {
  ...onlookingFlags,
  ...trainedFlags,
  ...labFlags,
  ...certsFlags,
  ...cacheFlags,
  ...doctorFlags,
  ...runsFlags,
  ...queueFlags,
  launch: launchFlags,
};

export function addFurtherCommands(program: Commander, context: CommandContext, actions: QueueActions): void {
  addOnlookingCommands(program, context);
  addTrainedCommands(program, context);
  addLabCommands(program, context);
  addCertsCommand(program, context);
  addCacheCommand(program, context);
  addDoctorCommand(program, context, actions);
  addRunsCommand(program, context);
  addQueueCommands(program, context, actions);
}
