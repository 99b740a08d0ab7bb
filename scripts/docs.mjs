/** Writes the pages of docs/ that are made from the sources. Tests check that they are current. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp();
const { errorCatalogue, errorsPage } = await import('../dist/src/cli/error-catalogue.js');
const { configurationPage } = await import('../dist/src/config/documentation.js');
const { eventsPage } = await import('../dist/src/live/documentation.js');
const { metricsPage } = await import('../dist/src/metrics/documentation.js');
const { optimizersPage } = await import('../dist/src/optim/documentation.js');
writeFileSync(join(root, 'docs', 'optimizers.md'), optimizersPage());
writeFileSync(join(root, 'docs', 'configuration.md'), configurationPage());
writeFileSync(join(root, 'docs', 'events.md'), eventsPage());
writeFileSync(join(root, 'docs', 'metrics.md'), metricsPage());
writeFileSync(join(root, 'docs', 'errors.md'), errorsPage(await errorCatalogue()));
