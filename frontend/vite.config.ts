import { defineConfig, type Plugin } from 'vite';

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

export default defineConfig({
  // The page is served at /graphql and its assets at /assets, wherever both are mounted.
  base: './',
  plugins: [latinFontsOnly()],
  worker: { format: 'es' },
  // The server puts another in its place each time that it sends the page.
  html: { cspNonce: 'CSP_NONCE' },
  build: {
    outDir: '../server/graphiql',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4096,
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      // GraphiQL titles its icons by the names of their functions.
      output: { keepNames: true },
      onLog(level, log, handler) {
        // "use client" is for servers that render React; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
});
