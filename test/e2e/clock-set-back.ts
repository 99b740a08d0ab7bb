/** Loaded into every process of a run by tests, with `--import`: the machine's clock is set back by an hour on the way. */
const Real = Date;
const hourMs = 3_600_000;
const beginMs = performance.now();

function wallMs(): number {
  return Real.now() - (performance.now() - beginMs > 1_500 ? hourMs : 0);
}

globalThis.Date = new Proxy(Real, {
  construct: (target, values: readonly unknown[]) =>
    Reflect.construct(target, values.length === 0 ? [wallMs()] : values) as Date,
  get: (target, key) => (key === 'now' ? wallMs : (Reflect.get(target, key) as unknown)),
});
