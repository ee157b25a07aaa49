import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { defineConfig, type Plugin, type UserConfig } from 'vite';

/**
 * GraphiQL's font files hold every script as base64. Latin alone is a sixth of that, and a browser
 * falls back to its own fonts for the rest.
 */
function latinFontsOnly(): Plugin {
  return {
    name: 'latin-fonts-only',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('/@graphiql/react/font/')) return null;
      const faces = code.match(/@font-face\s*\{[^}]*\}/g) ?? [];
      const latin = faces.filter((face) => face.includes('U+0000-00FF') && !face.includes('italic'));
      if (latin.length === 0) this.error(`no Latin font face in ${id}`);
      return { code: latin.join('\n'), map: null };
    },
  };
}

/** Names the page `index.html`. */
function asIndex(directory: string, page: string): Plugin {
  return {
    name: 'as-index',
    closeBundle: () => renameSync(resolve(directory, page), resolve(directory, 'index.html')),
  };
}

/** Puts the manifest of the dashboard's documents into the page's folder: texts by SHA-256. */
function withManifest(directory: string): Plugin {
  const made = 'src/dashboard/generated/persisted-documents.json';
  return {
    name: 'with-manifest',
    closeBundle() {
      const text = readFileSync(made, 'utf8').replaceAll('"sha256:', '"');
      writeFileSync(resolve(directory, 'documents.json'), text);
    },
  };
}

const shared: UserConfig['build'] = {
  emptyOutDir: true,
  target: 'es2022',
  assetsInlineLimit: 0,
};

const graphiql: UserConfig = {
  // The page is served at /graphql and its assets at /assets, wherever both are mounted.
  base: './',
  plugins: [latinFontsOnly(), asIndex('../server/graphiql', 'graphiql.html')],
  worker: { format: 'es' },
  // The server puts another in its place each time that it sends the page.
  html: { cspNonce: 'CSP_NONCE' },
  build: {
    ...shared,
    outDir: '../server/graphiql',
    chunkSizeWarningLimit: 4096,
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      input: 'graphiql.html',
      // GraphiQL titles its icons by the names of their functions.
      output: { keepNames: true },
      onLog(level, log, handler) {
        // "use client" is for servers that render React; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
};

/**
 * What the first page needs, and most of the others: one file, for each request costs the first
 * view more than its bytes. The page's own module is the other one.
 */
const SHARED = new RegExp(
  [
    'node_modules/(?!@tanstack)',
    'examples/',
    'src/shared/',
    'dashboard/components/(?!json|key-help)[^/]+\\.tsx?',
    'dashboard/data/(?!events)',
    'dashboard/json/(parse|value)',
    'dashboard/text/(text|en)',
    'dashboard/(settings/|time/|paths|generated)',
    'preload-helper',
  ].join('|'),
);

const dashboard: UserConfig = {
  // The server writes the way from the page's own path to the root in front of these.
  base: './',
  plugins: [
    asIndex('../server/dashboard', 'dashboard.html'),
    withManifest('../server/dashboard'),
  ],
  build: {
    ...shared,
    outDir: '../server/dashboard',
    assetsDir: 'assets/dashboard',
    cssCodeSplit: false,
    license: { fileName: 'assets/dashboard/licenses.md' },
    rolldownOptions: {
      input: 'dashboard.html',
      output: {
        // What several pages use, but not the first one that is opened.
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: 'virtual', test: /@tanstack/ },
            { name: 'language', test: /dashboard\/language\// },
            { name: 'shared', test: SHARED },
          ],
        },
      },
    },
  },
};

export default defineConfig(({ mode }) => (mode === 'dashboard' ? dashboard : graphiql));
