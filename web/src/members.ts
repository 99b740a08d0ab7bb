import type { Lane, Picture } from '../../src/live/picture.js';
import { byId, keyed, make, setText } from './dom.js';
import { grouped, listed } from './format.js';

/** Who was a member from which step to which: a bar for each stay. */
export function showMembers(all: readonly Lane[], { facts, now }: Picture): void {
  const lanes = all.filter(({ present }) => present.length > 0);
  const place = byId('members');
  const total = facts?.stepsTotal ?? 1;
  const rows = keyed(
    place,
    lanes,
    ({ worker }) => worker,
    () => {
      const row = make('div', 'member');
      row.append(make('h3'), make('div', 'stay'), make('p', 'quiet'));
      return row;
    },
  );
  rows.forEach((row, i) => {
    const lane = lanes[i] as Lane;
    const [name, bars, words] = [...row.children] as [HTMLElement, HTMLElement, HTMLElement];
    setText(name, lane.worker);
    const stays = keyed(
      bars,
      lane.present,
      ({ from }) => String(from),
      () => make('i'),
    );
    stays.forEach((bar, j) => {
      const { from, to } = lane.present[j] as { from: number; to: number | null };
      const end = to ?? now?.step ?? from;
      bar.style.left = `${(from / total) * 100}%`; //                through the object model, which the policy allows
      bar.style.width = `${(Math.max(0, end - from) / total) * 100}%`;
    });
    setText(
      words,
      listed(lane.present.map(({ from, to }) => `${grouped(from)} to ${to === null ? 'now' : grouped(to)}`)),
    );
  });
}
