// Builds the page: node build.mjs [OUT_DIR]. What lies in OUT_DIR afterwards is what the server serves.
import { mkdir, readdir, copyFile, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { drawPizza } from './draw-pizza.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(root, 'dist');

// What is served as it lies in src.
const plain = ['.html', '.svg', '.css'];

async function copyPlain(folder) {
  for (const entry of await readdir(join(root, 'src', folder), { withFileTypes: true })) {
    const name = join(folder, entry.name);
    if (entry.isDirectory()) await copyPlain(name);
    else if (plain.includes(extname(name)) && name !== 'style.css') {
      await mkdir(join(out, folder), { recursive: true });
      await copyFile(join(root, 'src', name), join(out, name));
    }
  }
}

// An .ico of one picture: a directory of one entry, then the PNG.
function icon(png, pixels) {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2); // an icon
  head.writeUInt16LE(1, 4); // of one picture
  head.writeUInt8(pixels, 6);
  head.writeUInt8(pixels, 7);
  head.writeUInt16LE(1, 10);
  head.writeUInt16LE(32, 12); // bits a pixel
  head.writeUInt32LE(png.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, png]);
}

async function bundle(entryPoints, outdir, format) {
  await build({
    entryPoints: entryPoints.map((name) => join(root, 'src', name)),
    outdir: join(out, outdir),
    bundle: true,
    minify: true,
    format,
    target: ['es2020'],
    legalComments: 'none',
    logLevel: 'warning',
  });
}

await rm(out, { recursive: true, force: true });
await bundle(['main.ts', 'login.ts', 'admin.ts', 'style.css'], 'assets', 'esm');
await bundle(['test.k6.io/static/browser.ts'], 'test.k6.io/static', 'iife');
await copyPlain('');
await mkdir(join(out, 'images'), { recursive: true });
await writeFile(join(out, 'images/pizza.png'), drawPizza(512));
await writeFile(join(out, 'favicon.png'), drawPizza(64));
await writeFile(join(out, 'test.k6.io/static/favicon.png'), drawPizza(64));
await writeFile(join(out, 'test.k6.io/static/favicon.ico'), icon(drawPizza(32), 32));
