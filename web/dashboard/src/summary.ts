// Totals as tables: thresholds, checks, and every metric by its type.

import { h } from './dom';
import { format, percent, whole } from './format';
import { base, suffix, type Check, type MetricType, type Model, type Threshold } from './model';

// A long name may be broken where it is put together.
function breakable(name: string): DocumentFragment {
  const parts = document.createDocumentFragment();
  for (const piece of name.split(/(?<=[_:{])/)) parts.append(piece, document.createElement('wbr'));
  return parts;
}

function verdictMark(ok: boolean, isOpen: boolean): HTMLElement {
  if (isOpen) return h('span', { class: 'open' }, 'no samples yet');
  return h('span', { class: ok ? 'ok' : 'nok' }, ok ? '✓ pass' : '✗ fail');
}

function table(caption: string, head: string[], rows: HTMLElement[]): HTMLElement {
  return h('article', { class: 'panel wide' }, h('h2', {}, caption),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      h('table', {}, h('thead', {}, h('tr', {}, ...head.map((t, i) => h('th', { scope: 'col', class: i ? 'num' : '' }, t)))), h('tbody', {}, ...rows))));
}

// What is compared with: an aggregate of the metric, in its unit.
function thresholdValue(t: Threshold, model: Model): string {
  if (t.value === undefined) return '–';
  const aggregate = t.source.trim().startsWith('rate') ? 'rate' : t.source.trim().startsWith('count') ? 'count' : '';
  return format(t.value, model.unit(model.has(t.metric) ? t.metric : base(t.metric), aggregate));
}

function thresholds(model: Model): HTMLElement | null {
  if (!model.thresholds.length) return null;
  return table('Thresholds', ['Metric', 'Condition', 'Value', 'Result'], model.thresholds.map((t) =>
    h('tr', { class: t.ok ? '' : 'failed' }, h('th', { scope: 'row' }, breakable(t.metric)), h('td', { class: 'num' }, h('code', {}, t.source)),
      h('td', { class: 'num' }, thresholdValue(t, model)), h('td', { class: 'num' }, verdictMark(t.ok, t.value === undefined && !model.isEnded)))));
}

function checkRow(c: Check): HTMLElement {
  const rate = c.passes / (c.passes + c.fails || 1);
  const bar = h('meter', { min: 0, max: 1, value: rate, class: c.fails ? 'part' : '', 'aria-label': percent(rate) + ' passed' });
  return h('tr', { class: c.fails ? 'failed' : '' },
    h('th', { scope: 'row' }, c.group && h('span', { class: 'path' }, c.group.split('::').filter(Boolean).join(' › ') + ' › '), c.name),
    h('td', { class: 'num' }, whole(c.passes)), h('td', { class: 'num' }, whole(c.fails)), h('td', { class: 'num' }, percent(rate), bar));
}

function checks(model: Model): HTMLElement | null {
  if (!model.checks.length) return null;
  return table('Checks', ['Check', 'Passed', 'Failed', 'Rate'], model.checks.map(checkRow));
}

const CAPTIONS: Record<MetricType, string> = { trend: 'Trends', counter: 'Counters', rate: 'Rates', gauge: 'Gauges' };
const COLUMNS: Record<MetricType, string[]> = {
  trend: ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)', 'p(99)'], counter: ['count', 'rate'], rate: ['rate'], gauge: ['value'],
};

function metrics(model: Model, type: MetricType): HTMLElement | null {
  const names = model.names.filter((n) => n !== 'time' && model.metrics.get(n)!.type === type && model.totals.has(n));
  if (!names.length) return null;
  return table(CAPTIONS[type], ['Metric', ...COLUMNS[type]], names.map((name) => {
    const part = suffix(name);
    return h('tr', {}, h('th', { scope: 'row', class: part ? 'part' : '' }, breakable(part ? `{ ${part} }` : name)),
      ...COLUMNS[type].map((a) => {
        const v = model.total(name, a);
        const unit = model.unit(name, a);
        return h('td', { class: 'num' }, unit === 'number' && v !== null ? whole(v) : format(v, unit));
      }));
  }));
}

function verdict(model: Model): HTMLElement | null {
  const failed = model.thresholds.filter((t) => !t.ok).length;
  const text = model.status?.verdict
    ?? (failed ? `${failed} of ${model.thresholds.length} thresholds ${model.isEnded ? 'were crossed' : 'are crossed at the moment'}`
      : model.isEnded ? (model.thresholds.length ? 'All thresholds passed' : 'The test ended without a failure') : null);
  if (!text) return null;
  const isBad = Boolean(model.status?.verdict) || failed > 0;
  return h('p', { class: 'verdict ' + (isBad ? 'bad' : 'good') }, (isBad ? '✗ ' : '✓ ') + text);
}

export class Summary {
  private shown = -1;
  constructor(private readonly root: HTMLElement) {}
  update(model: Model) {
    const selection = getSelection();
    const isCopying = selection && !selection.isCollapsed && this.root.contains(selection.anchorNode);
    if (this.shown === model.version || (isCopying && !model.isEnded)) return;
    this.shown = model.version;
    const parts = [verdict(model), thresholds(model), checks(model), metrics(model, 'trend'), metrics(model, 'counter'), metrics(model, 'rate'), metrics(model, 'gauge')];
    const scroll = [...this.root.querySelectorAll('.scroll')].map((e) => e.scrollLeft);
    this.root.replaceChildren(h('div', { class: 'grid' }, ...parts.filter((p): p is HTMLElement => p !== null)));
    this.root.querySelectorAll('.scroll').forEach((e, i) => { e.scrollLeft = scroll[i] ?? 0; });
  }
}
