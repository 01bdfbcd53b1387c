// Numbers as people read them. Times come in milliseconds.

export type Unit = 'time' | 'data' | 'data-rate' | 'rate' | 'percent' | 'number';

function digits(v: number, most = 3): string {
  const size = Math.abs(v);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return v.toFixed(Math.min(decimals, most)).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
}

function scaled(v: number, units: [number, string][]): string {
  const size = Math.abs(v);
  for (const [factor, name] of units) if (size >= factor * 0.9995) return digits(v / factor) + name;
  const last = units[units.length - 1]!;
  return v === 0 ? '0' + last[1] : digits(v / last[0]) + last[1];
}

export function time(ms: number): string {
  if (ms === 0) return '0ms';
  if (Math.abs(ms) >= 60000) return span(ms);
  return scaled(ms, [[1000, 's'], [1, 'ms'], [0.001, 'µs']]);
}

export function data(bytes: number): string {
  return scaled(bytes, [[1e12, ' TB'], [1e9, ' GB'], [1e6, ' MB'], [1e3, ' kB'], [1, ' B']]);
}

export function number(v: number): string {
  const size = Math.abs(v);
  if (size < 1 && v !== 0) return String(Number(v.toPrecision(3)));
  if (size < 9999.5) return digits(v);
  return scaled(v, [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]);
}

export function whole(v: number): string {
  return Number.isInteger(v) ? v.toLocaleString('en-US').replaceAll(',', '\u202f') : number(v);
}

export function percent(v: number): string {
  const p = v * 100;
  if (p > 0 && p < 0.01) return '<0.01%';
  if (p < 100 && p > 99.99) return '>99.99%';
  return digits(p) + '%';
}

export function format(v: number | null | undefined, unit: Unit): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return '–';
  switch (unit) {
    case 'time': return time(v);
    case 'data': return data(v);
    case 'data-rate': return data(v) + '/s';
    case 'rate': return number(v) + '/s';
    case 'percent': return percent(v);
    default: return number(v);
  }
}

// 95000 → "1m 35s"
export function span(ms: number): string {
  const s = Math.floor(ms / 1000);
  const parts: [number, string][] = [[Math.floor(s / 3600), 'h'], [Math.floor(s / 60) % 60, 'm'], [s % 60, 's']];
  const first = parts.findIndex(([n]) => n > 0);
  return (first < 0 ? parts.slice(2) : parts.slice(first)).map(([n, u]) => n + u).join(' ');
}
