/** What the things of a run are called in an agent's folder. The name of a run has no dot in it. */

/** Of its n-th coordinator on this host: each begins in a folder of its own. */
export function outFolder(run: string, n: number): string {
  return n === 1 ? `${run}.out` : `${run}.out-${n}`;
}

/** @returns the folders of its coordinators among these, the last one's first */
export function outFoldersOf(run: string, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name === outFolder(run, 1) || name.startsWith(`${run}.out-`))
    .sort((a, b) => b.length - a.length || (a < b ? 1 : -1));
}

export function certificateFolder(run: string): string {
  return `${run}.certs`;
}

const ofRun = /^([\w-]+)\.(certs|out|out-\d+|(coordinator|worker-\d+)\.(log|pid))$/;

/** Whose a thing is; undefined if it is of no run. */
export function runOf(name: string): string | undefined {
  return ofRun.exec(name)?.[1];
}
