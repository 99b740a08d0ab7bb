/** Which test files `npm test` runs. */

/** Folders of test/, and the one test beside them. */
export const suites = [
  'tidy',
  'unit',
  'contract',
  'sim',
  'e2e',
  'services',
  'compilers',
  'gpu',
  'deploy',
  'examples',
  'package',
];

/** Run only when they are named, as `.ci/run` and what it calls do: they need programs that few machines have, or minutes. */
const suitesOnRequest = ['services', 'compilers', 'gpu', 'deploy', 'examples', 'package'];

/** Node is asked for files, not patterns: its version 20 knows none. */
export function selectFiles(files, chosenSuites, words) {
  return files.filter((file) => {
    const [first = '', ...rest] = file.split('/');
    const suite = rest.length === 0 ? first.replace(/\.test\.js$/, '') : first;
    const isNamed = words.length === 0 || words.some((word) => file.includes(word));
    const isChosen = chosenSuites.length === 0 ? !suitesOnRequest.includes(suite) : chosenSuites.includes(suite);
    return isChosen && isNamed;
  });
}

/** Splits the arguments into ours and the runner's. */
export function readArguments(argv) {
  const chosen = [];
  const words = [];
  const flags = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word === '--suite') chosen.push(...(argv[++i] ?? '').split(','));
    else if (word.startsWith('--suite=')) chosen.push(...word.slice('--suite='.length).split(','));
    else (word.startsWith('-') ? flags : words).push(word);
  }
  return { chosen, words, flags };
}
