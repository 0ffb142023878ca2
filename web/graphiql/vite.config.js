import { defineConfig } from 'vite';

// The page itself is written by app/graphiql.py, which finds the entry and its style sheet in manifest.json.
export default defineConfig({
  base: '/static/graphiql/',
  publicDir: false,
  build: {
    outDir: '../../app/static/graphiql',
    emptyOutDir: true,
    assetsDir: 'assets', // every file in it carries its hash in its name: the server lets browsers keep it for ever
    assetsInlineLimit: 0,
    manifest: 'manifest.json',
    license: { fileName: 'LICENSES.md' },
    sourcemap: false,
    target: 'es2022',
    chunkSizeWarningLimit: 4096,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: 'src/main.jsx',
      onwarn(warning, warn) {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning); // "use client" in libraries means nothing here
      },
    },
  },
  worker: { format: 'es' },
});
