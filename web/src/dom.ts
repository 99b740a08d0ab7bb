export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** Makes an element; text goes in as text, never as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  text?: string,
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Touches the document only when something changed: a screen reader would tell the same thing again. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The children of `parent`, one for each key, made once and kept in order. */
export function keyed<Item, E extends HTMLElement>(
  parent: HTMLElement,
  items: readonly Item[],
  keyOf: (item: Item) => string,
  create: (item: Item) => E,
): E[] {
  const known = new Map([...parent.children].map((child) => [(child as HTMLElement).dataset['key'], child as E]));
  const wanted = items.map((item) => {
    const key = keyOf(item);
    const element = known.get(key) ?? create(item);
    element.dataset['key'] = key;
    return element;
  });
  for (const child of [...parent.children]) if (!wanted.includes(child as E)) child.remove();
  wanted.forEach((element, i) => {
    if (parent.children[i] !== element) parent.insertBefore(element, parent.children[i] ?? null);
  });
  return wanted;
}
