/** What must be true of a checkout before a version of it is published. Pure, so that each rule can be tried. */

const semanticVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/**
 * @param manifest - package.json
 * @param lock - package-lock.json
 * @param changelog - CHANGELOG.md
 * @param status - what `git status --porcelain` says
 * @param tags - of the repository
 * @returns complaints, each with its remedy
 */
export function releaseComplaints({ manifest, lock, changelog, status, tags }) {
  const { version, repository } = manifest;
  const [, newest = '', rest = ''] = /^## (\S+?)(?:, (.*))?$/m.exec(changelog) ?? [];
  const rules = [
    [semanticVersion.test(version), `package.json has the version ${version}`, 'make it MAJOR.MINOR.PATCH'],
    [
      lock.version === version && lock.packages[''].version === version,
      `package-lock.json has the version ${lock.version}, package.json ${version}`,
      '`npm install --package-lock-only`',
    ],
    [
      newest === version,
      `CHANGELOG.md begins with ${newest || 'no version'}, package.json has ${version}`,
      'make them agree',
    ],
    [
      newest !== version || /^\d{4}-\d\d-\d\d$/.test(rest),
      `CHANGELOG.md says "${rest}" behind ${newest}`,
      'the day of the release belongs there: 2027-01-31',
    ],
    [
      /^(git\+)?https:\/\/\S+$/.test(repository?.url ?? ''),
      'package.json names no repository',
      'give it { "type": "git", "url": "git+https://..." }, the one that the release is built from: provenance compares them',
    ],
    [
      status.trim() === '',
      `the checkout has changes: ${status.trim().split('\n').slice(0, 3).join(', ')}`,
      'commit them, or take them away',
    ],
    [!tags.includes(`v${version}`), `the tag v${version} exists`, 'take the next version'],
  ];
  return rules.filter(([holds]) => !holds).map(([, complaint, remedy]) => `${complaint}: ${remedy}`);
}

const isForDevelopment = ({ properties = [] }) =>
  properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');

/**
 * npm names the root by its folder, and leaves out too much when it is told to omit what is for development: packages that
 * such a one has as its peers. So it lists everything, and we omit. A list without one of our own dependencies would be
 * worth nothing.
 *
 * @param sbom - what `npm sbom --sbom-format cyclonedx` says
 * @throws Error naming the dependency that is missing
 */
export function checkedSbom(sbom, { name, version, dependencies }) {
  const components = sbom.components.filter((component) => !isForDevelopment(component));
  const kept = new Set(components.map((component) => component['bom-ref']));
  const links = sbom.dependencies?.filter(({ ref }) => kept.has(ref) || ref === sbom.metadata.component['bom-ref']);
  const known = new Set(components.map((component) => `${component.name}@${component.version}`));
  const missing = Object.entries(dependencies).find(([dependency, wanted]) => !known.has(`${dependency}@${wanted}`));
  if (missing) throw new Error(`the SBOM lacks ${missing.join('@')}`);
  const component = { ...sbom.metadata.component, name, version };
  return {
    ...sbom,
    metadata: { ...sbom.metadata, component },
    components,
    ...(links && {
      dependencies: links.map((link) => ({
        ...link,
        dependsOn: (link.dependsOn ?? []).filter((ref) => kept.has(ref)),
      })),
    }),
  };
}
