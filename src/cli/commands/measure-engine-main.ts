/** `node measure-engine-main.js ENGINE MODEL`: prints the images a second of one engine. */
import { systemClock } from '../../core/clock.js';
import type { EngineName } from '../../engine/engine.js';
import { buildModelSpec } from '../../engine/models/index.js';
import { measure } from './engines.js';

const [, , engine, model] = process.argv;
process.stdout.write(String(await measure(engine as EngineName, buildModelSpec(model!), systemClock)));
