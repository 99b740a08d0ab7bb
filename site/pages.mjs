/** Which pages the site has, from which files, and in which order: the side bar. */

/** `[title, path of the source, path on the site]`; what lies in docs/ keeps its place. */
const doc = (title, name) => [title, `docs/${name}.md`, `${name}.md`];
const example = (title, name) => [title, `examples/${name}/README.md`, `examples/${name}.md`];

export const groups = [
  ['Start', [doc('Quick start', 'quick-start'), doc('Concepts', 'concepts'), doc('Comparison', 'comparison')]],
  [
    'Training',
    [
      doc('Your own model', 'own-model'),
      doc('Batch size', 'batch-size'),
      doc('Optimizers', 'optimizers'),
      doc('Engines', 'engines'),
      doc('GPUs', 'gpu'),
    ],
  ],
  [
    'Running',
    [
      doc('Launching', 'launch'),
      doc('Deploying', 'deploy'),
      doc('Slurm', 'deploy/slurm'),
      doc('Kubernetes', 'deploy/kubernetes'),
      doc('Containers', 'deploy/containers'),
      doc('systemd', 'deploy/systemd'),
      doc('Monitoring', 'monitoring'),
      doc('Faults', 'faults'),
      doc('Security', 'security'),
    ],
  ],
  [
    'Reference',
    [
      doc('Flags', 'configuration'),
      doc('Metrics', 'metrics'),
      doc('Events', 'events'),
      doc('Errors', 'errors'),
      ['API', 'src/index.ts', 'api/index.md'],
      ['API: readers of data', 'src/data/library.ts', 'api/lockstep/namespaces/data.md'],
    ],
  ],
  [
    'Examples',
    [
      example('Regression on CSV', 'csv-regression'),
      example('Folders of images', 'image-folders'),
      example('Text classifier', 'text-classifier'),
      example('Transfer learning', 'transfer-learning'),
      example('Autoencoder', 'autoencoder'),
    ],
  ],
  ['Measured', [doc('Performance', 'performance'), doc('Scaling', 'scaling')]],
  [
    'Project',
    [
      ['README', 'README.md', 'readme.md'],
      ['Architecture', 'ARCHITECTURE.md', 'architecture.md'],
      ['Contributing', 'CONTRIBUTING.md', 'contributing.md'],
      doc('Releasing', 'release'),
      ['Changelog', 'CHANGELOG.md', 'changelog.md'],
    ],
  ],
];

/** Path on the site by path of the source. */
export const places = new Map(groups.flatMap(([, pages]) => pages.map(([, source, place]) => [source, place])));

/** Tables with many columns: without the outline on the right there is more room for them. */
export const wide = new Set(['configuration.md', 'metrics.md', 'comparison.md']);

/** As Rspress wants it: `/deploy/slurm` for deploy/slurm.md, `/api/` for api/index.md. */
export const sidebar = groups.map(([text, pages]) => ({
  text,
  items: pages.map(([title, , place]) => ({ text: title, link: `/${place.replace(/(index)?\.md$/, '')}` })),
}));
