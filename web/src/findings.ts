import { findings, type Finding } from '../../src/live/explain.js';
import type { Picture } from '../../src/live/picture.js';
import { byId, keyed, make, setText } from './dom.js';

/** What stands out, and what to do about it. */
export function showFindings(picture: Picture): void {
  const found = findings(picture);
  const rows = keyed(
    byId('findings'),
    found,
    ({ advice }) => advice,
    () => {
      const row = make('li');
      row.append(make('span'), make('span', 'quiet'));
      return row;
    },
  );
  rows.forEach((row, i) => {
    const { what, advice } = found[i] as Finding;
    setText(row.children[0] as HTMLElement, `${what}: `);
    setText(row.children[1] as HTMLElement, `${advice.replaceAll('`', '')}.`);
  });
}
