/** What one worker of this host gets. */
export interface SlotOffer {
  /** For people. */
  readonly what: string;
  /** Flags of its worker. */
  readonly flags: readonly string[];
  /** Variables of its worker. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A GPU as CUDA knows it. */
export interface Card {
  /** `GPU-6f1c...`, which is the same whatever order CUDA counts in. */
  readonly uuid: string;
  readonly name: string;
}

/** A GPU as WebGPU knows it. */
export interface NamedAdapter {
  readonly index: number;
  readonly name: string;
}

/** What `nvidia-smi --query-gpu=uuid,name --format=csv,noheader` prints. */
export function cardsIn(text: string): readonly Card[] {
  return text.split('\n').flatMap((line) => {
    const [, uuid, name] = /^\s*(GPU-[\w-]+),\s*(.+?)\s*$/.exec(line) ?? [];
    return uuid === undefined || name === undefined ? [] : [{ uuid, name }];
  });
}

/**
 * Those that the agent itself may use, by CUDA's own rule: what follows the first entry that means no card counts not.
 *
 * @param visible - CUDA_VISIBLE_DEVICES of the agent
 */
export function visibleCards(cards: readonly Card[], visible: string | undefined): readonly Card[] {
  if (visible === undefined) return cards;
  const chosen: Card[] = [];
  for (const entry of visible.split(',').map((each) => each.trim())) {
    const card = /^\d+$/.test(entry)
      ? cards[Number(entry)]
      : cards.find(({ uuid }) => entry !== '' && uuid.startsWith(entry));
    if (!card) break;
    chosen.push(card);
  }
  return chosen;
}

/**
 * A slot for each GPU, whose worker sees that one alone; without one the whole machine is a slot.
 *
 * @param adapters - GPUs that WebGPU can tell apart, which takes them by name: of equal cards it finds one
 */
export function offersFor(
  cards: readonly Card[],
  adapters: readonly NamedAdapter[],
  cores: number,
): readonly SlotOffer[] {
  const threads = threadFlags(Math.max(1, cards.length, adapters.length), cores);
  const gpu = (index: number | undefined) => (index === undefined ? [] : ['--gpu', String(index)]);
  if (cards.length > 0)
    return cards.map(({ uuid, name }) => ({
      what: name,
      flags: [...gpu(adapters.find((adapter) => adapter.name === name)?.index), ...threads],
      environment: { CUDA_VISIBLE_DEVICES: uuid },
    }));
  if (adapters.length > 0)
    return adapters.map(({ index, name }) => ({ what: name, flags: [...gpu(index), ...threads] }));
  return shares(1, cores);
}

/** The machine in so many equal parts. */
export function shares(count: number, cores: number): readonly SlotOffer[] {
  const flags = threadFlags(count, cores);
  return Array.from({ length: count }, () => ({ what: `${flags[1]} threads`, flags }));
}

function threadFlags(count: number, cores: number): readonly string[] {
  return ['--threads', String(Math.max(1, Math.floor(cores / count))), '--local-workers', String(count)];
}
