/** Names of layers that do not depend on what else a process has built. */

interface JsonLayer {
  readonly className: string;
  readonly name: string;
}

/**
 * TensorFlow.js numbers layers without a name of their own through a whole process: `dense_Dense7`. Here they are numbered
 * through their model, from 1, so that a tensor's name, from which it is drawn, is the same whoever builds the model.
 *
 * @param topology - JSON of a model
 */
export function withCanonicalNames(topology: unknown): unknown {
  const counts = new Map<string, number>();
  const renamed = new Map<string, string>();
  for (const { className, name } of layersIn(topology)) {
    const prefix = prefixes[className] ?? `${snakeCase(className)}_${className}`;
    if (renamed.has(name) || !new RegExp(`^${prefix}\\d+$`).test(name)) continue;
    const count = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, count);
    renamed.set(name, `${prefix}${count}`);
  }
  return rename(topology, renamed);
}

/** What TensorFlow.js names in another way. */
const prefixes: Readonly<Record<string, string>> = {
  InputLayer: 'input',
  Model: 'model',
  Functional: 'model',
  Sequential: 'sequential_',
};

/** In the order of the JSON, those inside of others behind them. */
function layersIn(json: unknown): readonly JsonLayer[] {
  if (typeof json !== 'object' || json === null) return [];
  const { class_name: className, config } = json as { class_name?: unknown; config?: { name?: unknown } | null };
  const name = config?.name;
  const own = typeof className === 'string' && typeof name === 'string' ? [{ className, name }] : [];
  return [...own, ...Object.values(json).flatMap(layersIn)];
}

function rename(json: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof json === 'string') return names.get(json) ?? json;
  if (Array.isArray(json)) return json.map((value) => rename(value, names));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, rename(value, names)]));
}

/** As TensorFlow.js makes it of `BatchNormalization` and `Conv2D`: `batch_normalization`, `conv2d`. */
function snakeCase(className: string): string {
  return className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
