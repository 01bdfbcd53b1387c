// Builds the page: node build.mjs [OUT_DIR]. What lies in OUT_DIR afterwards is what the server serves.
import { mkdir, readdir, copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { drawPizza } from './draw-pizza.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(root, 'dist');

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'images'), { recursive: true });

await build({
  entryPoints: [join(root, 'src/main.ts'), join(root, 'src/admin.ts'), join(root, 'src/style.css')],
  outdir: join(out, 'assets'),
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2020'],
  legalComments: 'none',
  logLevel: 'warning',
});

for (const name of await readdir(join(root, 'src'))) {
  if (name.endsWith('.html')) await copyFile(join(root, 'src', name), join(out, name));
}
await writeFile(join(out, 'images/pizza.png'), drawPizza(512));
await writeFile(join(out, 'favicon.png'), drawPizza(64));
