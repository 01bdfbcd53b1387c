// Six headline figures with their curves, and the panels of Overview and Timings.

import { Panel, type PanelSpec, type SeriesSpec, type View } from './chart';
import { h, setText, svg } from './dom';
import { format } from './format';
import { base, type Model } from './model';

interface Figure {
  title: string;
  metric: string;
  aggregate: string;
  info: string;
  isBadAbove?: number;
}

const FIGURES: Figure[] = [
  { title: 'Iteration Rate', metric: 'iterations', aggregate: 'rate', info: 'Iterations finished a second' },
  { title: 'HTTP Request Rate', metric: 'http_reqs', aggregate: 'rate', info: 'HTTP requests a second' },
  { title: 'HTTP Request Duration', metric: 'http_req_duration', aggregate: 'p(95)', info: '95 % of the requests took at most this long' },
  { title: 'HTTP Request Failed', metric: 'http_req_failed', aggregate: 'rate', info: 'Part of the requests that failed', isBadAbove: 0 },
  { title: 'Received Rate', metric: 'data_received', aggregate: 'rate', info: 'Data received a second' },
  { title: 'Sent Rate', metric: 'data_sent', aggregate: 'rate', info: 'Data sent a second' },
];

const WIDTH = 200, HEIGHT = 40;

// Averages of neighbours, where there are more than a small curve can show.
const SPARK_POINTS = 80;
function thin(values: number[]): number[] {
  if (values.length <= SPARK_POINTS) return values;
  const sums = new Array<number>(SPARK_POINTS).fill(0), counts = new Array<number>(SPARK_POINTS).fill(0);
  values.forEach((v, i) => {
    const at = Math.floor((i / values.length) * SPARK_POINTS);
    sums[at]! += v;
    counts[at]!++;
  });
  return sums.map((v, i) => v / counts[i]!);
}

class Card {
  readonly element: HTMLElement;
  private readonly value = h('div', { class: 'figure' }, '–');
  private readonly overall = h('div', { class: 'overall' });
  private readonly line = svg('path', { class: 'spark-line' });
  private readonly area = svg('path', { class: 'spark-area' });

  constructor(private readonly figure: Figure) {
    const spark = svg('svg', { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    spark.append(this.area, this.line);
    this.element = h('article', { class: 'card', title: figure.info },
      h('h2', {}, figure.title), this.value, this.overall, spark);
  }

  update(model: Model, filter: string) {
    const { metric, aggregate, isBadAbove } = this.figure;
    const special = filter && model.has(`${metric}{${filter}}`) ? `${metric}{${filter}}` : metric;
    const unit = model.has(metric) ? model.unit(metric, aggregate) : 'number';
    const now = model.latest(special, aggregate), total = model.total(special, aggregate);
    const shown = model.isEnded ? total : now ?? total;
    setText(this.value, format(shown, unit));
    const what = aggregate.startsWith('p') ? aggregate + ' · ' : '';
    setText(this.overall, what + (model.isEnded ? 'whole test' : total === null ? 'now' : 'so far ' + format(total, unit)));
    this.element.classList.toggle('bad', isBadAbove !== undefined && (shown ?? 0) > isBadAbove);
    this.draw(model.curve(special, aggregate));
  }

  private draw(curve: (number | null)[]) {
    const values = thin(curve.map((v) => v ?? 0));
    if (values.length === 1) values.push(values[0]!);
    const top = Math.max(...values, 0) || 1;
    const points = values.map((v, i) => `${((i / (values.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 2 - (v / top) * (HEIGHT - 5)).toFixed(1)}`);
    const path = curve.some((v) => v !== null) ? 'M' + points.join('L') : '';
    this.line.setAttribute('d', path);
    this.area.setAttribute('d', path && `${path}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`);
  }
}

const TREND: [string, string][] = [['avg', 'avg'], ['p(90)', 'p(90)'], ['p(95)', 'p(95)'], ['p(99)', 'p(99)']];

function trend(metric: string): SeriesSpec[] {
  return TREND.map(([aggregate, label]) => ({ metric, aggregate, label, line: aggregate !== 'avg' }));
}

const OVERVIEW: PanelSpec[] = [
  {
    title: 'HTTP Performance overview', wide: true,
    info: 'Requests a second, how many of them failed, and the duration that 95 % of them kept to',
    series: [
      { metric: 'http_reqs', aggregate: 'rate', label: 'Request Rate', colour: 0 },
      { metric: 'http_req_duration', aggregate: 'p(95)', label: 'Request Duration p(95)', right: true, line: true, colour: 1 },
      {
        metric: 'http_req_failed', aggregate: 'rate', label: 'Request Failed', colour: 4,
        times: { metric: 'http_reqs', aggregate: 'rate' },
      },
    ],
  },
  {
    title: 'VUs', info: 'Virtual users that are running, and the requests they make',
    series: [
      { metric: 'vus', aggregate: 'value', label: 'vus', colour: 2 },
      { metric: 'http_reqs', aggregate: 'rate', label: 'http_reqs', right: true, line: true, colour: 0 },
    ],
  },
  {
    title: 'Transfer Rate', info: 'Data received and sent a second',
    series: [
      { metric: 'data_received', aggregate: 'rate', label: 'data_received', colour: 0 },
      { metric: 'data_sent', aggregate: 'rate', label: 'data_sent', colour: 1 },
    ],
  },
  { title: 'HTTP Request Duration', info: 'From the first byte sent to the last one received', series: trend('http_req_duration') },
  {
    title: 'HTTP Request Failed', info: 'Part of the requests that failed',
    series: [{ metric: 'http_req_failed', aggregate: 'rate', label: 'failed', colour: 4 }],
  },
  { title: 'Iteration Duration', optional: true, series: trend('iteration_duration') },
  {
    title: 'Checks', optional: true, info: 'Part of the checks that passed',
    series: [{ metric: 'checks', aggregate: 'rate', label: 'passed', colour: 2 }],
  },
  {
    title: 'WebSocket Messages', optional: true, info: 'Messages sent and received a second',
    series: [
      { metric: 'ws_msgs_sent', aggregate: 'rate', label: 'sent', colour: 1 },
      { metric: 'ws_msgs_received', aggregate: 'rate', label: 'received', colour: 0 },
    ],
  },
  { title: 'gRPC Request Duration', optional: true, series: trend('grpc_req_duration') },
  {
    title: 'Dropped Iterations', optional: true, info: 'Iterations that found no free VU',
    series: [{ metric: 'dropped_iterations', aggregate: 'rate', label: 'dropped', colour: 4 }],
  },
];

const TIMINGS: PanelSpec[] = [
  ['http_req_duration', 'Request Duration', 'From the first byte sent to the last one received'],
  ['http_req_waiting', 'Request Waiting', 'Time to the first byte of the response'],
  ['http_req_sending', 'Request Sending', 'Time to send the request'],
  ['http_req_receiving', 'Request Receiving', 'Time to receive the response'],
  ['http_req_tls_handshaking', 'TLS Handshaking', 'Time of TLS handshakes'],
  ['http_req_connecting', 'Request Connecting', 'Time to open TCP connections'],
  ['http_req_blocked', 'Request Blocked', 'Time to wait for a free connection'],
  ['iteration_duration', 'Iteration Duration', 'One run of the scenario\'s function'],
  ['group_duration', 'Group Duration', 'Time in group()'],
  ['ws_connecting', 'WebSocket Connecting', 'Time to open WebSocket connections'],
  ['ws_session_duration', 'WebSocket Session Duration', 'Time from open to close'],
  ['ws_ping', 'WebSocket Ping', 'From a ping to its pong'],
  ['grpc_req_duration', 'gRPC Request Duration', 'From the call to its response'],
].map(([metric, title, info]) => ({ title: title!, info: info!, series: trend(metric!), optional: !metric!.startsWith('http_req') }));

// Custom metrics, and built-in ones that have no panel above, as they turn up.
const CUSTOM_MAX = 40;
const COVERED = new Set(['time', 'vus_max', 'iterations', 'ws_sessions', ...[...OVERVIEW, ...TIMINGS].flatMap((p) => p.series.map((s) => s.metric))]);

function customSpec(name: string, model: Model): PanelSpec {
  const type = model.metrics.get(name)!.type;
  const series: SeriesSpec[] = type === 'trend' ? trend(name)
    : type === 'counter' ? [{ metric: name, aggregate: 'rate', label: 'per second' }]
      : type === 'rate' ? [{ metric: name, aggregate: 'rate', label: 'rate', colour: 2 }]
        : [{ metric: name, aggregate: 'value', label: 'value', colour: 3 }];
  return { title: name, info: type, series };
}

export class Overview {
  private readonly cards = FIGURES.map((f) => new Card(f));
  private readonly panels: Panel[];
  private readonly custom = new Map<string, Panel>();
  private readonly customGrid = h('div', { class: 'grid' });
  private readonly customHead = h('h2', { class: 'section', hidden: true }, 'More metrics');

  constructor(root: HTMLElement, private readonly view: View) {
    this.panels = OVERVIEW.map((s) => new Panel(s, view));
    root.append(h('div', { class: 'cards' }, ...this.cards.map((c) => c.element)),
      h('div', { class: 'grid' }, ...this.panels.map((p) => p.element)), this.customHead, this.customGrid);
  }

  private findCustom(model: Model) {
    for (const name of model.names) {
      if (COVERED.has(name) || base(name) !== name || this.custom.has(name) || this.custom.size >= CUSTOM_MAX) continue;
      const panel = new Panel(customSpec(name, model), this.view);
      this.custom.set(name, panel);
      this.customGrid.append(panel.element);
    }
    this.customHead.hidden = this.custom.size === 0;
  }

  forget() {
    this.custom.clear();
    this.customGrid.replaceChildren();
  }

  update(model: Model) {
    this.findCustom(model);
    for (const c of this.cards) c.update(model, this.view.filter);
    for (const p of [...this.panels, ...this.custom.values()]) p.update(model);
  }

  redraw() {
    for (const p of [...this.panels, ...this.custom.values()]) p.redraw();
  }
}

export class Timings {
  private readonly panels: Panel[];
  constructor(root: HTMLElement, view: View) {
    this.panels = TIMINGS.map((s) => new Panel(s, view));
    root.append(h('div', { class: 'grid' }, ...this.panels.map((p) => p.element)));
  }
  update(model: Model) {
    for (const p of this.panels) p.update(model);
  }
  redraw() {
    for (const p of this.panels) p.redraw();
  }
}
