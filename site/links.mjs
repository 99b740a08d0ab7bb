/** Links of a document, turned into those of the site. */

import { posix } from 'node:path';

/** A link or a picture outside of code: `[text](target)`, `![text](target)`. Code comes first, so that it is stepped over. */
const codeOrLink = /```[^]*?^```|`[^`\n]+`|(!?)\[((?:`[^`\n]*`|[^\]`])*)\]\(([^()\s]+)\)/gm;

/**
 * @param source - where the document lies in the project: `docs/deploy/slurm.md`
 * @param places - of documents that are pages: where they lie on the site
 * @param kindOf - what lies at a path of the project: 'file', 'folder', or undefined
 * @returns the text for the site; `files`, which are not pages and are wanted with it; `complaints` about links that lead nowhere
 */
export function forSite(text, source, places, kindOf) {
  const files = new Map();
  const complaints = [];
  const here = places.get(source);
  const turned = text.replace(codeOrLink, (whole, picture, words, target) => {
    if (target === undefined || /^([a-z]+:|#)/.test(target)) return whole;
    const [path, hash] = target.split('#');
    const meant = posix.normalize(posix.join(posix.dirname(source), path)).replace(/\/$/, '');
    const kind = meant.startsWith('..') ? undefined : kindOf(meant);
    if (kind === undefined) {
      complaints.push(`${source}: ${whole} leads nowhere, there is no ${meant}`);
      return whole;
    }
    const page = places.get(meant);
    if (page !== undefined) {
      const way = posix.relative(posix.dirname(here), page);
      return `[${words}](${way.startsWith('.') ? way : `./${way}`}${hash === undefined ? '' : `#${hash}`})`;
    }
    if (picture) {
      const place = `images/${posix.basename(meant)}`;
      files.set(meant, place);
      const way = posix.relative(posix.dirname(here), place);
      return `![${words}](${way.startsWith('.') ? way : `./${way}`})`;
    }
    // What is no page is in the repository, which a reader of the site may not have at hand: the words say where.
    return words === meant ? `\`${meant}\`` : `${words} (\`${meant}\`)`;
  });
  return { text: turned, files, complaints };
}
