import { lockstepErrorIn } from '../core/errors.js';
import { MetricsExporter, type ExporterNeeds } from '../metrics/index.js';

/**
 * Starts the exporter. A port that nobody chose is only a suggestion: where it is taken, any free one will do.
 *
 * @param isChosen - whether somebody gave the port
 * @param onOther - told when another port was taken
 * @throws LockstepError `PORT_IN_USE` and its like
 */
export async function serveMetrics(
  needs: ExporterNeeds,
  at: { readonly host: string; readonly port: number },
  isChosen: boolean,
  onOther: (text: string) => void,
): Promise<{ readonly url: string; readonly port: number; stop(): Promise<void> }> {
  const exporter = new MetricsExporter(needs, at);
  try {
    const { url, port } = await exporter.start();
    return { url, port, stop: () => exporter.stop() };
  } catch (error) {
    if (isChosen || lockstepErrorIn(error)?.code !== 'PORT_IN_USE') throw error;
    const other = await serveMetrics(needs, { ...at, port: 0 }, true, onOther);
    onOther(`port ${at.port} is in use, metrics are on ${other.url}`);
    return other;
  }
}
