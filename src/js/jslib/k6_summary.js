// What https://jslib.k6.io/k6-summary/ gives: the end-of-test summary of handleSummary()'s data as text
// and as a JUnit report. The same forms as src/report/summary_legacy.c.

const MARK_OK = '✓';
const MARK_BAD = '✗';
const DATA_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const FIXED_UNITS = { s: [0.001, 's'], ms: [1, 'ms'], us: [1000, 'µs'] };

// ---- values

const plain = (value, digits) => parseFloat(Number(value).toFixed(digits)).toString();
const cut = (value, digits) => plain(Math.trunc(10 ** digits * value) / 10 ** digits, digits);

function humanizeBytes(bytes) {
  if (!(bytes >= 10)) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1000)), DATA_UNITS.length - 1);
  const value = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${DATA_UNITS[power]}`;
}

function humanizeTime(ms, unit) {
  if (FIXED_UNITS[unit]) return (ms * FIXED_UNITS[unit][0]).toFixed(2) + FIXED_UNITS[unit][1];
  if (ms === 0) return '0s';
  if (ms < 0.001) return `${Math.trunc(ms * 1000000)}ns`;
  if (ms < 1) return `${cut(ms * 1000, 2)}µs`;
  if (ms < 1000) return `${cut(ms, 2)}ms`;
  const seconds = cut((ms % 60000) / 1000, ms > 60000 ? 0 : 2);
  const minutes = Math.trunc(ms / 60000);
  if (minutes < 1) return `${seconds}s`;
  return minutes < 60 ? `${minutes}m${seconds}s` : `${Math.trunc(minutes / 60)}h${minutes % 60}m${seconds}s`;
}

export function humanizeValue(value, metric, timeUnit) {
  if (metric.type === 'rate') return `${(Math.trunc(value * 100 * 100) / 100).toFixed(2)}%`;
  if (metric.contains === 'data') return humanizeBytes(value);
  if (metric.contains === 'time') return humanizeTime(value, timeUnit);
  return plain(value, 6);
}

// ---- text

const COLORS = { green: '32', red: '31', cyan: '36', extra: '36;2', faint: '2' };

const width = (text) => Array.from(text.normalize('NFKC')).length;

// The cells of a metric's line behind its name; those of trends are named.
function cellsOf(metric, stats, unit) {
  const { values } = metric;
  const show = (value) => humanizeValue(value, metric, unit);
  switch (metric.type) {
    case 'trend':
      return stats.map((stat) => (stat === 'count' ? String(values.count) : show(values[stat])));
    case 'rate':
      return [show(values.rate), `${MARK_OK} ${values.passes}`, `${MARK_BAD} ${values.fails}`];
    case 'counter':
      return [show(values.count), `${show(values.rate)}/s`];
    default:
      return [show(values.value), `min=${show(values.min)}`, `max=${show(values.max)}`];
  }
}

function byName([a], [b]) {
  const [parentA, parentB] = [a.split('{')[0], b.split('{')[0]];
  if (parentA !== parentB) return parentA < parentB ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupLines(group, indent, paint) {
  const lines = [];
  if (group.name !== '') {
    lines.push(`${indent}█ ${group.name}`, '');
    indent += '  ';
  }
  for (const { name, passes, fails } of group.checks || []) {
    if (fails === 0) {
      lines.push(paint('green', `${indent}${MARK_OK} ${name}`));
      continue;
    }
    const share = Math.floor((100 * passes) / (passes + fails));
    lines.push(paint('red', `${indent}${MARK_BAD} ${name}\n${indent} ↳  ${share}% — ${MARK_OK} ${passes} / ${MARK_BAD} ${fails}`));
  }
  if ((group.checks || []).length > 0) lines.push('');
  for (const inner of group.groups || []) lines.push(...groupLines(inner, indent, paint));
  return lines;
}

function markOf(metric, paint) {
  const all = Object.values(metric.thresholds || {});
  if (all.length === 0) return ' ';
  return all.every((threshold) => threshold.ok) ? paint('green', MARK_OK) : paint('red', MARK_BAD);
}

function metricLines(metrics, indent, stats, unit, paint) {
  const rows = Object.entries(metrics).sort(byName).map(([name, metric]) => {
    const at = name.indexOf('{');
    const isSub = at >= 0;
    const shown = isSub ? `{ ${name.slice(at + 1, -1)} }` : name;
    return { metric, shown, inset: isSub ? '  ' : '', cells: cellsOf(metric, stats, unit) };
  });
  const nameWidth = Math.max(0, ...rows.map((row) => row.inset.length + width(row.shown)));
  const widest = (chosen, k) => Math.max(0, ...chosen.map((row) => width(row.cells[k] || '')));
  const trends = rows.filter((row) => row.metric.type === 'trend');
  const others = rows.filter((row) => row.metric.type !== 'trend');
  const trendWidths = stats.map((stat, k) => widest(trends, k));
  const otherWidths = [0, 1, 2].map((k) => widest(others, k));

  return rows.map(({ metric, shown, inset, cells }) => {
    const padded = (cell, to, color) => paint(color, cell) + ' '.repeat(Math.max(0, to - width(cell)));
    const values =
      metric.type === 'trend'
        ? cells.map((cell, k) => `${stats[k]}=${padded(cell, trendWidths[k], 'cyan')}`)
        : cells.map((cell, k) => padded(cell, k === 0 || cells.length > 2 ? otherWidths[k] : 0, k === 0 ? 'cyan' : 'extra'));
    const dots = `${'.'.repeat(nameWidth - width(shown) - inset.length + 3)}:`;
    return `${indent}  ${inset}${markOf(metric, paint)} ${shown}${paint('faint', dots)} ${values.join(' ')}`;
  });
}

export function textSummary(data, options) {
  const chosen = { indent: ' ', enableColors: true, ...data.options, ...options };
  const stats = chosen.summaryTrendStats || ['avg', 'min', 'med', 'max', 'p(90)', 'p(95)'];
  const paint = chosen.enableColors ? (color, text) => `\x1b[${COLORS[color]}m${text}\x1b[0m` : (color, text) => text;
  const lines = groupLines(data.root_group, `${chosen.indent}    `, paint);
  lines.push(...metricLines(data.metrics, chosen.indent, stats, chosen.summaryTimeUnit, paint));
  return lines.join('\n');
}

// ---- JUnit

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&quot;' };
const escaped = (text) => String(text).replace(/[&<>'"]/g, (char) => ESCAPES[char]);

// Each threshold is a test case; a failed one says the metric's values.
export function jUnit(data, options) {
  const { name = 'k6 thresholds', classname = 'Unnamed folder' } = options || {};
  const cases = [];
  let failures = 0;
  for (const [metric, { type, values, thresholds }] of Object.entries(data.metrics)) {
    const shown = Object.entries(values).map(([key, value]) => `${key} value: ${value}`);
    const failure = `<failure message="${escaped(`${type} threshold failed: ${shown.join(', ')}`)}" />`;
    for (const [expression, { ok }] of Object.entries(thresholds || {})) {
      const head = `<testcase name="${escaped(metric)} - ${escaped(expression)}" classname="${escaped(classname)}"`;
      cases.push(ok ? `${head} />` : `${head}>${failure}</testcase>`);
      failures += ok ? 0 : 1;
    }
  }
  const counts = `tests="${cases.length}" failures="${failures}"`;
  return [
    '<?xml version="1.0"?>',
    `    <testsuites ${counts}>`,
    `      <testsuite name="${escaped(name)}" ${counts}>`,
    `        ${cases.join('\n')}`,
    '      </testsuite>',
    '    </testsuites>',
  ].join('\n');
}
