/** What other rooms use of the configuration. */

export { loadConfig, type LoadedConfig, type Sources } from './load.js';
export { specOf, flagsFor } from './write.js';
export type { ConfigOf, CoordinatorConfig, FieldName, TrainConfig, WorkerConfig } from './schema.js';
export type { Command } from './field.js';
export type { OptionValue } from './values.js';
