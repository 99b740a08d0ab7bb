import { join } from 'node:path';
import { defineConfig } from '@rspress/core';
import { sidebar } from './pages.mjs';

export default defineConfig({
  root: join(import.meta.dirname, 'dist', 'content'),
  outDir: join(import.meta.dirname, 'dist', 'pages'),
  title: 'Lockstep',
  description: 'Synchronous data-parallel training on many machines from Node.js: the same bits, whatever the cluster.',
  logoText: 'Lockstep',
  icon: '/icon.svg',
  globalStyles: join(import.meta.dirname, 'styles.css'),
  // Anchors are looked for in what is built (check.mjs): those that stand in a table are known only then.
  markdown: { link: { checkDeadLinks: true, checkAnchors: false } },
  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Flags', link: '/configuration' },
      { text: 'Errors', link: '/errors' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: { '/': sidebar },
  },
});
