import type { View } from './chart';
import { Controls, toast } from './controls';
import { byId, h, setText } from './dom';
import { span } from './format';
import { Model, suffixLabel } from './model';
import { Overview, Timings } from './overview';
import { embedded, endpointOf, keepPage, listen, readEmbedded, saveReport } from './source';
import { Summary } from './summary';

const TABS = ['overview', 'timings', 'summary'] as const;
type Tab = (typeof TABS)[number];

const model = new Model();
const packed = embedded();
const isReport = packed !== null;
let tab: Tab = 'overview';
let isConnected = true;
let isDue = false;
let runStart = 0;

const view: View = { filter: '', zoom: null, setZoom };
const overview = new Overview(byId('view-overview'), view);
const timings = new Timings(byId('view-timings'), view);
const summary = new Summary(byId('view-summary'));
const controls = new Controls(byId('controls'), endpointOf());

function setZoom(zoom: [number, number] | null) {
  view.zoom = zoom;
  byId('unzoom').hidden = zoom === null;
  schedule();
}

// ---- theme: the system's, until somebody chooses

const dark = matchMedia('(prefers-color-scheme: dark)');
function theme(): string {
  let chosen: string | null = null;
  try { chosen = localStorage.getItem('kiln-theme'); } catch { /* a file's page may not keep things */ }
  return chosen ?? (dark.matches ? 'dark' : 'light');
}
function showTheme(name: string) {
  document.documentElement.dataset['theme'] = name;
  const other = name === 'dark' ? 'light' : 'dark';
  const button = byId('theme');
  button.textContent = name === 'dark' ? '☀' : '☾';
  button.setAttribute('aria-label', `Switch to ${other} colours`);
  button.title = `Switch to ${other} colours`;
  overview.redraw();
  timings.redraw();
}
byId('theme').addEventListener('click', () => {
  const next = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
  try { localStorage.setItem('kiln-theme', next); } catch { /* as above */ }
  showTheme(next);
});
dark.addEventListener('change', () => showTheme(theme()));

// ---- tabs

function show(name: Tab) {
  tab = name;
  for (const t of TABS) {
    byId('view-' + t).hidden = t !== name;
    const button = byId('tab-' + t);
    button.setAttribute('aria-selected', String(t === name));
    button.tabIndex = t === name ? 0 : -1;
  }
  render();
}
for (const t of TABS) {
  byId('tab-' + t).addEventListener('click', () => show(t));
  byId('tab-' + t).addEventListener('keydown', (e) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const next = TABS[(TABS.indexOf(t) + step + TABS.length) % TABS.length]!;
    show(next);
    byId('tab-' + next).focus();
  });
}

// ---- the lines above the charts

function scriptName(): string {
  const path = model.param?.scriptPath ?? '';
  return path.split('/').pop() || path;
}

function showState() {
  const s = model.status, isLost = !isConnected && !model.isEnded;
  const name = isLost ? 'disconnected' : s?.state ?? (isReport ? '' : 'connecting');
  const failed = model.thresholds.filter((t) => !t.ok).length;
  const isBad = isLost || Boolean(s?.verdict) || failed > 0;
  const e = byId('state');
  setText(e, failed && !isLost ? `${name} · ${failed} ✗` : name);
  e.title = failed ? `${failed} of ${model.thresholds.length} thresholds are crossed` : '';
  e.className = 'state ' + (isBad ? 'bad' : model.isEnded ? 'done' : s?.paused ? 'paused' : 'live');
  const script = scriptName();
  document.title = (model.isEnded ? (isBad ? '✗ ' : '✓ ') : '') + (script && script + ' – ') + 'kiln';
  const end = model.param?.endOffset ?? 0;
  setText(byId('clock'), s ? span(s.elapsed) + (end && !model.isEnded ? ' / ' + span(end) : '') : '');
  const done = Math.round((model.isEnded ? 1 : s?.progress ?? 0) * 100);
  byId('progress').style.width = done + '%';
  byId('progress').parentElement!.setAttribute('aria-valuenow', String(done));
  const banner = byId('banner');
  banner.hidden = !isLost && (!s?.verdict || tab === 'summary'); // which says it itself
  setText(banner, s?.verdict && !isLost ? '✗ ' + s.verdict : isLost ? 'kiln does not answer: it has ended, or its network is gone. What is shown stays.' : '');
}

function showAbout() {
  const p = model.param;
  if (!p || runStart === p.start) return;
  runStart = p.start;
  const facts = [new Date(p.start).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium', hour12: false } as Intl.DateTimeFormatOptions)];
  if (p.scenarios?.length) facts.push((p.scenarios.length === 1 ? 'scenario ' : 'scenarios ') + p.scenarios.join(', '));
  if (p.testId) facts.push('test ' + p.testId);
  facts.push('a point every ' + span(p.period));
  byId('about').replaceChildren(h('strong', { title: p.scriptPath }, scriptName()), h('span', {}, facts.join(' · ')));
  setText(byId('footer'), `${p.program ?? 'kiln'} · drag over a chart to zoom, arrow keys read it, Escape resets`);
  view.zoom = null;
  overview.forget();
}

function showFilter() {
  const select = byId<HTMLSelectElement>('filter');
  const suffixes = model.suffixes();
  byId('filter-label').hidden = suffixes.length === 0;
  if (select.options.length === suffixes.length + 1) return;
  select.replaceChildren(h('option', { value: '' }, 'everything'), ...suffixes.map((s) => h('option', { value: s }, suffixLabel(s))));
  select.value = suffixes.includes(view.filter) ? view.filter : '';
  view.filter = select.value;
}
byId('filter').addEventListener('change', (e) => {
  view.filter = (e.target as HTMLSelectElement).value;
  render();
});
byId('unzoom').addEventListener('click', () => setZoom(null));
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && view.zoom) setZoom(null);
});

// ---- drawing: at most once a frame, and only what is seen

function render() {
  isDue = false;
  showAbout();
  showState();
  showFilter();
  controls.update(model);
  if (tab === 'overview') overview.update(model);
  else if (tab === 'timings') timings.update(model);
  else summary.update(model);
  document.documentElement.dataset['points'] = String(model.times.length);
}

function schedule() {
  if (isDue) return;
  isDue = true;
  // A tab in the background gets no frames, and needs none.
  requestAnimationFrame(render);
}

// ---- start

showTheme(theme());
if (isReport) {
  document.documentElement.classList.add('is-report');
  byId('report').hidden = true;
  readEmbedded(packed!, model).then(render, (e) => {
    byId('banner').hidden = false;
    setText(byId('banner'), 'This report cannot be read: ' + e);
  });
} else {
  keepPage();
  const endpoint = endpointOf();
  byId<HTMLAnchorElement>('report').href = endpoint + 'report';
  byId('report').addEventListener('click', (e) => {
    if (!model.isEnded && isConnected) return; // the server makes it
    e.preventDefault();
    saveReport(model).catch((why) => toast('No report: ' + why, true));
  });
  listen(endpoint, model, schedule, (is) => {
    isConnected = is;
    schedule();
  });
}
render();
