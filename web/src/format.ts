/** Numbers as people read them, whatever the language of the browser. */

export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

export function percent(share: number | null | undefined, digits = 2): string {
  return share == null ? '–' : `${(share * 100).toFixed(digits)} %`;
}

export function significant(value: number | null | undefined, digits = 4): string {
  return value == null ? '–' : String(Number(value.toPrecision(digits)));
}

/** `0:07`, `12:40`, `1:02:03` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (part: number) => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `worker-1`, `worker-1 and worker-2`, `a, b and c` */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
