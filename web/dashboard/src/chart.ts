// A panel with a chart: its legend says the values under the cursor, or the newest ones.

import uPlot from 'uplot';
import { h, setText } from './dom';
import { format, type Unit } from './format';
import type { Model } from './model';

export interface SeriesSpec {
  metric: string;
  aggregate: string;
  label: string;
  right?: boolean; // has the scale on the right
  line?: boolean; // no area below
  colour?: number; // of the palette
  times?: { metric: string; aggregate: string }; // multiplied by this curve, and in its unit
}
export interface PanelSpec {
  title: string;
  info?: string;
  series: SeriesSpec[];
  wide?: boolean;
  optional?: boolean; // not shown before its metrics are there; others go when a test does not have them
}
export interface View {
  filter: string; // "" or the suffix of submetrics
  zoom: [number, number] | null;
  setZoom(zoom: [number, number] | null): void;
}

// Besides by colour, lines differ by their dashes.
const DASHES: number[][] = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2]];
const COLOURS = 6;
// With more points a line gets thinner.
const DENSE = 400;

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

export class Panel {
  readonly element: HTMLElement;
  private readonly box: HTMLElement;
  private readonly empty: HTMLElement;
  private readonly legend: HTMLElement;
  private readonly moment: HTMLElement;
  private readonly values: HTMLElement[] = [];
  private readonly hidden: boolean[];
  private plot: uPlot | null = null;
  private units: Unit[] = [];
  private bounds: { value: number; source: string; ok: boolean; scale: string }[] = [];
  private totals: (number | null | undefined)[] = []; // of an ended test
  private data: uPlot.AlignedData = [[]];
  private drawn = '';

  constructor(readonly spec: PanelSpec, private readonly view: View) {
    this.hidden = spec.series.map(() => false);
    this.box = h('div', { class: 'plot', tabindex: 0, role: 'img', 'aria-label': spec.title + ': chart. Arrow keys read it.' });
    this.empty = h('div', { class: 'empty' }, 'No samples yet');
    this.moment = h('span', { class: 'moment', 'aria-live': 'polite' });
    this.legend = h('div', { class: 'legend' });
    spec.series.forEach((s, i) => {
      const value = h('span', { class: 'value' });
      this.values.push(value);
      this.legend.append(h('button', {
        type: 'button', class: 'key', 'aria-pressed': 'true', title: 'Show or hide',
        onclick: (e) => this.toggle(i, e.currentTarget as HTMLElement),
      }, this.mark(i), s.label, value));
    });
    this.element = h('article', { class: spec.wide ? 'panel wide' : 'panel' },
      h('div', { class: 'panel-head' }, h('h2', { title: spec.info ?? '' }, spec.title), this.moment),
      this.box, this.legend);
    this.box.append(this.empty);
    this.box.addEventListener('keydown', (e) => this.onKey(e));
    new ResizeObserver(() => this.resize()).observe(this.box);
  }

  private colour(i: number): number {
    return (this.spec.series[i]!.colour ?? i) % COLOURS;
  }

  private mark(i: number): Element {
    const m = h('span', { class: 'mark c' + this.colour(i), 'aria-hidden': 'true' });
    if (i > 0) m.classList.add('dashed');
    return m;
  }

  private toggle(i: number, button: HTMLElement) {
    this.hidden[i] = !this.hidden[i];
    button.setAttribute('aria-pressed', String(!this.hidden[i]));
    this.plot?.setSeries(i + 1, { show: !this.hidden[i] });
  }

  private onKey(e: KeyboardEvent) {
    const u = this.plot, n = this.data[0].length;
    if (!u || n === 0) return;
    const at = u.cursor.idx ?? n - 1;
    const to = e.key === 'ArrowLeft' ? at - 1 : e.key === 'ArrowRight' ? at + 1 : e.key === 'Home' ? 0 : e.key === 'End' ? n - 1 : -1;
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(e.key)) return;
    e.preventDefault();
    const i = Math.max(0, Math.min(n - 1, to));
    u.setCursor({ left: u.valToPos(this.data[0][i]!, 'x'), top: 10 });
  }

  private name(metric: string, model: Model): string {
    const special = this.view.filter ? metric + '{' + this.view.filter + '}' : metric;
    return model.has(special) ? special : metric;
  }

  // Fits what is there to a chart; a single period is drawn from its start to its end.
  private collect(model: Model) {
    const { series } = this.spec;
    const start = (model.param?.start ?? 0) / 1000;
    const curves = series.map((s) => this.curve(s, model));
    let times = model.times;
    if (times.length === 1 && start < times[0]!) {
      times = [start, times[0]!];
      for (const c of curves) c.unshift(c[0]!);
    }
    this.data = [times, ...curves] as uPlot.AlignedData;
    this.units = series.map((s) => (s.times ? model.unit(s.times.metric, s.times.aggregate) : model.unit(s.metric, s.aggregate)));
    this.bounds = series.flatMap((s) => (s.times ? [] : model.bounds(this.name(s.metric, model), s.aggregate)
      .map((b) => ({ ...b, scale: s.right ? 'y2' : 'y' }))));
    this.totals = series.map((s) => {
      const total = model.total(this.name(s.metric, model), s.aggregate);
      const by = s.times && model.total(this.name(s.times.metric, model), s.times.aggregate);
      return model.isEnded ? (s.times ? (total ?? 0) * (by ?? 0) : total) : undefined;
    });
  }

  private curve(s: SeriesSpec, model: Model): (number | null)[] {
    const curve = model.curve(this.name(s.metric, model), s.aggregate);
    if (!s.times) return curve;
    const by = model.curve(this.name(s.times.metric, model), s.times.aggregate);
    return curve.map((v, i) => (v === null || by[i] == null ? null : v * by[i]!));
  }

  update(model: Model) {
    const isThere = this.spec.series.some((s) => model.has(s.metric));
    this.element.hidden = !isThere && (Boolean(this.spec.optional) || model.times.length > 0);
    if (this.element.hidden) return;
    this.collect(model);
    const hasData = this.data.slice(1).some((c) => (c as (number | null)[]).some((v) => v !== null));
    this.empty.hidden = hasData;
    setText(this.empty, model.isEnded ? 'No samples' : 'No samples yet');
    this.element.classList.toggle('bare', !hasData);
    if (hasData) this.draw();
    const isPart = this.view.filter !== '' && this.spec.series.some((s) => model.has(s.metric + '{' + this.view.filter + '}'));
    this.element.classList.toggle('unfiltered', this.view.filter !== '' && !isPart);
    this.tell();
  }

  private draw() {
    const shape = this.units.join() + this.isDense() + document.documentElement.dataset['theme'];
    if (!this.plot || this.drawn !== shape) this.create(shape);
    const u = this.plot!;
    u.batch(() => {
      u.setData(this.data, false);
      const x = this.data[0];
      const [min, max] = this.view.zoom ?? [x[0]!, x[x.length - 1]!];
      u.setScale('x', { min, max });
    });
  }

  // New colours are wanted.
  redraw() {
    this.drawn = '';
    if (this.plot) this.draw();
  }

  private isDense(): boolean {
    return this.data[0].length > DENSE;
  }

  private create(shape: string) {
    this.plot?.destroy();
    this.drawn = shape;
    this.plot = new uPlot(this.options(), this.data, this.box);
  }

  private axis(scale: string, unit: Unit, side: uPlot.Axis.Side): uPlot.Axis {
    return {
      scale, side, stroke: css('--muted'), font: '12px ' + css('--font'), size: this.box.clientWidth < 420 ? 56 : 66, gap: 6,
      grid: { show: side === 3, stroke: css('--grid'), width: 1 },
      ticks: { show: false },
      values: (_, ticks) => ticks.map((v) => format(v, unit)),
    };
  }

  private options(): uPlot.Options {
    const { series } = this.spec;
    const left = series.findIndex((s) => !s.right), right = series.findIndex((s) => s.right);
    const range = (_: uPlot, min: number | null, max: number | null): [number, number] =>
      [Math.min(0, min ?? 0), max === null || max <= 0 ? 1 : max * 1.12];
    const axes: uPlot.Axis[] = [{
      stroke: css('--muted'), font: '12px ' + css('--font'), grid: { stroke: css('--grid'), width: 1 }, ticks: { show: false }, space: 80, size: 30,
      values: (_, ticks) => ticks.map(clock),
    }];
    if (left >= 0) axes.push(this.axis('y', this.units[left]!, 3));
    if (right >= 0) axes.push(this.axis('y2', this.units[right]!, 1));
    return {
      width: this.box.clientWidth || 300, height: this.spec.wide ? 270 : 210, padding: [12, right >= 0 ? 0 : 30, 0, 0],
      legend: { show: false }, axes,
      scales: { x: { time: true }, y: { range }, y2: { range } },
      cursor: { sync: { key: 'kiln', setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      series: [{}, ...series.map((s, i) => {
        const colour = css('--c' + this.colour(i));
        return {
          label: s.label, scale: s.right ? 'y2' : 'y', stroke: colour, width: this.isDense() ? 1 : 2, dash: DASHES[i % DASHES.length] ?? [],
          fill: s.line || i > 1 ? undefined : colour + '22', show: !this.hidden[i], points: { size: 5 },
        };
      })],
      hooks: {
        draw: [(u) => this.drawBounds(u)],
        setCursor: [() => this.tell()],
        setSelect: [(u) => {
          if (u.select.width > 8) this.view.setZoom([u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')]);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
  }

  // Lines where thresholds are, if that is among what is shown.
  private drawBounds(u: uPlot) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.font = 11 * devicePixelRatio + 'px ' + css('--font');
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    for (const b of this.bounds) {
      const y = u.valToPos(b.value, b.scale, true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = ctx.fillStyle = css(b.ok ? '--good' : '--bad');
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText((b.ok ? '' : '✗ ') + b.source, bbox.left + 6 * devicePixelRatio, y - 2 * devicePixelRatio);
    }
    ctx.restore();
  }

  // The legend's values: where the cursor is, else the newest, of an ended test those of all of it.
  private tell() {
    const at = this.plot?.cursor.idx;
    const isPointed = at !== null && at !== undefined && (this.plot?.cursor.left ?? -1) >= 0;
    const i = isPointed ? at : this.data[0].length - 1;
    setText(this.moment, isPointed && this.data[0][i] !== undefined ? clock(this.data[0][i]!) : '');
    this.values.forEach((e, k) => {
      const total = isPointed ? undefined : this.totals[k];
      const value = total === undefined ? (this.data[k + 1] as (number | null)[] | undefined)?.[i] : total;
      setText(e, format(value, this.units[k] ?? 'number'));
    });
  }

  private resize() {
    const width = this.box.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.plot.height });
  }
}
