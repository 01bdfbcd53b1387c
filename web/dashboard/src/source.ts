// Where events come from: the server while the test runs, or the page itself in a report.

import type { Model } from './model';

const EVENTS = ['param', 'metric', 'start', 'snapshot', 'cumulative', 'threshold', 'thresholds', 'checks', 'status', 'stop'];

async function through(bytes: Uint8Array, stream: GenericTransformStream): Promise<ArrayBuffer> {
  return new Response(new Blob([bytes as BlobPart]).stream().pipeThrough(stream as ReadableWritablePair)).arrayBuffer();
}

export function embedded(): string | null {
  return document.getElementById('kiln-data')?.textContent ?? null;
}

export async function readEmbedded(packed: string, model: Model) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const text = new TextDecoder().decode(await through(bytes, new DecompressionStream('gzip')));
  for (const line of text.split('\n')) {
    if (!line) continue;
    const { event, data } = JSON.parse(line);
    model.apply(event, data);
  }
}

// live: told of every change; connected: whether the server is there.
export function listen(endpoint: string, model: Model, changed: () => void, connected: (is: boolean) => void): void {
  const source = new EventSource(endpoint + 'events');
  source.onopen = () => connected(true);
  source.onerror = () => connected(model.isEnded);
  for (const name of EVENTS)
    source.addEventListener(name, (e) => {
      const text = (e as MessageEvent<string>).data;
      model.apply(name, JSON.parse(text));
      model.lines.push(`{"event":"${name}","data":${text}}`);
      if (name === 'stop') source.close();
      changed();
    });
}

// The page as it came, for a report after kiln has ended.
let page: Promise<string> | null = null;
export function keepPage() {
  page = fetch(location.pathname).then((r) => r.text()).catch(() => '');
}

// The last of what only the newest counts of.
function withoutReplaced(lines: string[]): string[] {
  const latest = ['cumulative', 'threshold', 'thresholds', 'checks', 'status'].map((n) => `{"event":"${n}",`);
  const last = latest.map((p) => lines.reduce((found, l, i) => (l.startsWith(p) ? i : found), -1));
  return lines.filter((l, i) => !latest.some((p, k) => l.startsWith(p) && last[k] !== i));
}

export async function saveReport(model: Model) {
  const template = await page;
  if (!template) throw new Error('the page is gone');
  const packed = new Uint8Array(await through(new TextEncoder().encode(withoutReplaced(model.lines).join('\n')), new CompressionStream('gzip')));
  let text = '';
  for (let i = 0; i < packed.length; i += 0x8000) text += String.fromCharCode(...packed.subarray(i, i + 0x8000));
  const mark = ['<!--KILN', 'DATA-->'].join('-'); // whole, it would be found here
  const html = template.replace(mark, () => `<script id="kiln-data" type="text/plain">${btoa(text)}</scr` + 'ipt>');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  link.download = 'kiln-report.html';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export function endpointOf(): string {
  const wanted = new URLSearchParams(location.search).get('endpoint') ?? '/';
  return wanted.endsWith('/') ? wanted : wanted + '/';
}

