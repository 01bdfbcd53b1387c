// What is known of the run, built from its events.

import type { Unit } from './format';

export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';
export interface Metric {
  type: MetricType;
  contains: 'default' | 'time' | 'data';
  tainted?: boolean;
  custom?: boolean;
}
export interface Param {
  thresholds?: Record<string, string[]>;
  scenarios?: string[];
  endOffset: number;
  period: number;
  tags?: string[];
  scriptPath: string;
  start: number;
  program?: string;
  testId?: string;
  aggregates: Record<MetricType, string[]>;
}
export interface Status {
  state: string;
  elapsed: number;
  vus: number;
  vusMax: number;
  iterations: number;
  interrupted: number;
  progress: number;
  paused: boolean;
  control?: { pause: boolean; scale: boolean };
  verdict?: string;
}
export interface Threshold {
  metric: string;
  source: string;
  ok: boolean;
  value?: number;
}
export interface Check {
  group: string;
  name: string;
  passes: number;
  fails: number;
}
type Values = number[];

// The order of the server: by bytes of UTF-8, which is that of code points.
function compareNames(a: string, b: string): number {
  const x = [...a], y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const d = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (d !== 0) return d;
  }
  return x.length - y.length;
}

// Points kept in memory; the server has a limit of its own.
const POINTS_MAX = 6000;

export class Model {
  param: Param | null = null;
  status: Status | null = null;
  metrics = new Map<string, Metric>();
  names: string[] = [];
  times: number[] = []; // seconds
  series = new Map<string, (Values | null)[]>();
  totals = new Map<string, Values>();
  thresholds: Threshold[] = [];
  checks: Check[] = [];
  isEnded = false;
  version = 0; // changes with every event
  lines: string[] = []; // the events as they came, for a report

  // False: not of interest.
  apply(event: string, data: unknown): boolean {
    switch (event) {
      case 'param':
        this.reset();
        this.param = data as Param;
        break;
      case 'metric': this.addMetrics(data as Record<string, Metric>); break;
      case 'snapshot': this.addSnapshot(data as Values[]); break;
      case 'cumulative': this.setTotals(data as Values[]); break;
      case 'status': this.status = data as Status; break;
      case 'thresholds': this.thresholds = data as Threshold[]; break;
      case 'checks': this.checks = data as Check[]; break;
      case 'stop': this.isEnded = true; break;
      case 'start': case 'threshold': case 'config': break;
      default: return false;
    }
    this.version++;
    return true;
  }

  private reset() {
    const fresh = new Model();
    Object.assign(this, fresh, { version: this.version });
  }

  private addMetrics(found: Record<string, Metric>) {
    for (const [name, metric] of Object.entries(found)) {
      if (!this.metrics.has(name)) {
        this.names.push(name);
        this.series.set(name, new Array(this.times.length).fill(null));
      }
      this.metrics.set(name, metric);
    }
    this.names.sort(compareNames);
  }

  private addSnapshot(values: Values[]) {
    const at = values[this.names.indexOf('time')]?.[0];
    if (at === undefined) return;
    this.times.push(at / 1000);
    this.names.forEach((name, i) => {
      const v = values[i];
      this.series.get(name)!.push(v && v.length ? v : null);
    });
    if (this.times.length > POINTS_MAX) {
      this.times.shift();
      for (const s of this.series.values()) s.shift();
    }
  }

  private setTotals(values: Values[]) {
    this.names.forEach((name, i) => {
      const v = values[i];
      if (v && v.length) this.totals.set(name, v);
    });
  }

  private index(metric: Metric, aggregate: string): number {
    return this.param?.aggregates[metric.type].indexOf(aggregate) ?? -1;
  }

  has(name: string): boolean {
    return this.metrics.has(name);
  }

  // The curve of one aggregate; null where there were no samples.
  curve(name: string, aggregate: string): (number | null)[] {
    const metric = this.metrics.get(name), series = this.series.get(name);
    if (!metric || !series) return new Array(this.times.length).fill(null);
    const i = this.index(metric, aggregate);
    return series.map((v) => (v ? v[i] ?? null : null));
  }

  total(name: string, aggregate: string): number | null {
    const metric = this.metrics.get(name);
    return metric ? this.totals.get(name)?.[this.index(metric, aggregate)] ?? null : null;
  }

  latest(name: string, aggregate: string): number | null {
    const metric = this.metrics.get(name);
    const v = this.series.get(name)?.[this.times.length - 1];
    return metric && v ? v[this.index(metric, aggregate)] ?? null : null;
  }

  unit(name: string, aggregate: string): Unit {
    const metric = this.metrics.get(name);
    if (!metric) return 'number';
    if (metric.type === 'rate') return 'percent';
    if (metric.type === 'counter') {
      if (metric.contains === 'data') return aggregate === 'rate' ? 'data-rate' : 'data';
      if (aggregate === 'rate') return 'rate';
    }
    return metric.contains === 'default' ? 'number' : metric.contains;
  }

  // Bounds that thresholds set to an aggregate: "p(95)<500" is one of p(95).
  bounds(name: string, aggregate: string): { value: number; source: string; ok: boolean }[] {
    const found = [];
    for (const t of this.thresholds) {
      const m = /^\s*([a-z]+(?:\([\d.]+\))?)\s*(?:[<>]=?|={2,3})\s*([-+.\deE]+)\s*$/.exec(t.source);
      if (t.metric === name && m && m[1] === aggregate && Number.isFinite(Number(m[2])))
        found.push({ value: Number(m[2]), source: t.source.replace(/\s+/g, ''), ok: t.ok });
    }
    return found;
  }

  // "group:::login" … of all metrics that are told apart.
  suffixes(): string[] {
    const found = new Set<string>();
    for (const name of this.names) {
      const s = suffix(name);
      if (s) found.add(s);
    }
    return [...found].sort(compareNames);
  }
}

export function suffix(name: string): string | null {
  const at = name.indexOf('{');
  return at > 0 && name.endsWith('}') ? name.slice(at + 1, -1) : null;
}

export function base(name: string): string {
  const at = name.indexOf('{');
  return at > 0 ? name.slice(0, at) : name;
}

// "group:::a::b" → "group a › b"
export function suffixLabel(s: string): string {
  const cut = s.indexOf(':');
  const key = s.slice(0, cut), value = s.slice(cut + 1);
  return key === 'group' ? 'group ' + value.split('::').filter(Boolean).join(' › ') : key + ' = ' + value;
}
