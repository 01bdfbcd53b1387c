// Draws the pizza as a PNG, so that the picture is a program too: discs, leaves and one missing slice,
// each pixel sampled several times for smooth edges.
import { deflateSync } from 'node:zlib';

const SAMPLES = 3; // a side, per pixel

const slices = 8;
const missing = { from: -Math.PI / 2, to: -Math.PI / 2 + (2 * Math.PI) / slices };
const shift = 0.09; // how far the slice is pulled out
const middle = (missing.from + missing.to) / 2;

const salami = [
  [-0.38, -0.36], [0.02, 0.16], [-0.5, 0.14], [0.46, 0.3], [-0.14, 0.56], [0.6, -0.1], [0.24, -0.5], [-0.08, -0.16],
];
const olives = [
  [-0.2, 0.34], [0.3, 0.02], [-0.62, -0.16], [0.2, 0.62], [-0.42, 0.46], [0.5, -0.36], [-0.14, -0.6],
];
const leaves = [
  [0.16, 0.4, 0.6], [-0.3, 0.02, 2.2], [0.4, 0.52, 1.2], [-0.22, -0.4, 0.2], [0.66, 0.14, 2.8], [0.34, -0.24, 1.9],
];

const distance = (x, y, cx, cy) => Math.hypot(x - cx, y - cy);

function inLeaf(x, y, [cx, cy, angle]) {
  const along = (x - cx) * Math.cos(angle) + (y - cy) * Math.sin(angle);
  const across = -(x - cx) * Math.sin(angle) + (y - cy) * Math.cos(angle);
  return Math.abs(along) < 0.13 && Math.abs(across) < 0.055 * (1 - (along / 0.13) ** 2);
}

// Colour of a point, the whole pizza being the unit disc around 0; null outside.
function colourOnPizza(x, y) {
  const r = Math.hypot(x, y);
  const bump = 0.02 * Math.sin(9 * Math.atan2(y, x)) + 0.01 * Math.sin(23 * Math.atan2(y, x));
  if (r > 0.95 + bump) return null;
  if (r > 0.9 + bump) return [176, 103, 42];
  if (r > 0.79 + bump) return [226, 160, 84];
  if (r > 0.755 + bump) return [193, 62, 35];
  for (const leaf of leaves) if (inLeaf(x, y, leaf)) return [74, 124, 52];
  for (const [cx, cy] of olives) {
    const d = distance(x, y, cx, cy);
    if (d < 0.035) return [250, 214, 118];
    if (d < 0.075) return [52, 48, 62];
  }
  for (const [cx, cy] of salami) {
    const d = distance(x, y, cx, cy);
    if (d < 0.12) return Math.sin(40 * x) * Math.sin(37 * y) > 0.72 ? [226, 112, 88] : [197, 60, 48];
    if (d < 0.14) return [158, 42, 36];
  }
  const melt = Math.sin(7 * x + 3 * Math.sin(4 * y)) * Math.sin(8 * y + 2 * Math.sin(5 * x));
  return melt > 0.62 ? [255, 228, 150] : melt < -0.7 ? [240, 178, 84] : [250, 205, 108];
}

function isInSlice(x, y) {
  const angle = Math.atan2(y, x);
  return angle > missing.from && angle < missing.to;
}

function colourAt(x, y) {
  const px = x - shift * Math.cos(middle);
  const py = y - shift * Math.sin(middle);
  if (isInSlice(px, py)) {
    const colour = colourOnPizza(px, py);
    if (colour) return colour;
  }
  return isInSlice(x, y) ? null : colourOnPizza(x, y);
}

function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

function encodePng(width, height, rgba) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (width * 4 + 1));
  for (let y = 0; y < height; y++) rgba.copy(rows, y * (width * 4 + 1) + 1, y * width * 4, (y + 1) * width * 4);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

export function drawPizza(size) {
  const rgba = Buffer.alloc(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0];
      let hits = 0;
      for (let i = 0; i < SAMPLES * SAMPLES; i++) {
        const x = (column + ((i % SAMPLES) + 0.5) / SAMPLES) / size;
        const y = (row + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / size;
        const colour = colourAt((x - 0.5) * 2.1, (y - 0.52) * 2.1);
        if (!colour) continue;
        hits++;
        for (let c = 0; c < 3; c++) sum[c] += colour[c];
      }
      const at = (row * size + column) * 4;
      for (let c = 0; c < 3; c++) rgba[at + c] = hits ? Math.round(sum[c] / hits) : 0;
      rgba[at + 3] = Math.round((255 * hits) / (SAMPLES * SAMPLES));
    }
  }
  return encodePng(size, size, rgba);
}
