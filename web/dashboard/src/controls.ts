// Pausing, scaling and stopping the test: for who has the token that kiln logs at its start.

import { byId, h } from './dom';
import type { Model } from './model';

const KEY = 'kiln-token';

// "#token=…" is taken out of the address, so that it is not passed on with it.
function takeToken(): string {
  const hash = new URLSearchParams(location.hash.slice(1));
  const token = hash.get('token');
  if (token) {
    sessionStorage.setItem(KEY, token);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return token ?? sessionStorage.getItem(KEY) ?? '';
}

let hideTimer = 0;
export function toast(text: string, isBad = false) {
  const e = byId('toast');
  e.textContent = text;
  e.className = 'toast shown' + (isBad ? ' bad' : '');
  clearTimeout(hideTimer);
  hideTimer = window.setTimeout(() => { e.className = 'toast'; }, 5000);
}

export class Controls {
  private token = takeToken();
  private shown = '';
  private model: Model | null = null;
  private fields: { input: HTMLInputElement; shown: string }[] = [];
  constructor(private readonly root: HTMLElement, private readonly endpoint: string) {}

  private async send(attributes: Record<string, unknown>, done: string) {
    try {
      const answer = await fetch(this.endpoint + 'control', {
        method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Kiln-Token': this.token },
        body: JSON.stringify({ data: { type: 'status', id: 'default', attributes } }),
      });
      if (answer.ok) return toast(done);
      const body = await answer.json().catch(() => null);
      if (answer.status === 403) this.lock();
      toast(body?.errors?.[0]?.detail ?? `Status ${answer.status}`, true);
    } catch {
      toast('kiln does not answer', true);
    }
  }

  private lock() {
    this.token = '';
    sessionStorage.removeItem(KEY);
    this.shown = '';
  }

  private unlockForm(): HTMLElement[] {
    const input = h('input', { type: 'password', autocomplete: 'off', placeholder: 'token from kiln\'s log', 'aria-label': 'Token', size: 26 });
    const form = h('form', {
      onsubmit: (e) => {
        e.preventDefault();
        this.token = input.value.trim();
        sessionStorage.setItem(KEY, this.token);
        this.shown = '';
        this.update(this.model!);
      },
    }, input, h('button', { type: 'submit', class: 'quiet' }, 'Unlock'));
    return [h('details', {}, h('summary', {}, 'Pause, scale or stop this test'), form)];
  }

  private buttons(model: Model): (HTMLElement | false)[] {
    const { paused, control } = model.status!;
    const vus = h('input', { type: 'number', min: 0, id: 'vus' });
    const max = h('input', { type: 'number', min: 0, id: 'max' });
    this.fields = [{ input: vus, shown: '' }, { input: max, shown: '' }];
    return [
      (control!.pause || paused) && h('button', {
        type: 'button', class: 'quiet', id: 'pause', onclick: () => this.send({ paused: !paused }, paused ? 'The test goes on' : 'The test is paused'),
      }, paused ? '▶ Resume' : '▮▮ Pause'),
      control!.scale && h('form', {
        id: 'scale', onsubmit: (e) => {
          e.preventDefault();
          // Arrival rates take only the one, other scenarios only the other: what is left alone is not sent.
          const wanted: Record<string, number> = {};
          this.fields.forEach((f, i) => {
            if (f.input.value !== f.shown) wanted[i === 0 ? 'vus' : 'vus-max'] = Number(f.input.value);
            f.shown = f.input.value;
          });
          void this.send(wanted, 'Scaled');
        },
      }, h('label', {}, 'VUs ', vus), h('label', {}, 'max ', max), h('button', { type: 'submit', class: 'quiet' }, 'Scale')),
      h('button', {
        type: 'button', class: 'quiet danger', id: 'stop', onclick: (e) => {
          const b = e.currentTarget as HTMLElement;
          if (b.dataset['sure']) return void this.send({ stopped: true }, 'The test is being stopped');
          b.dataset['sure'] = '1';
          b.textContent = 'Really stop?';
          setTimeout(() => { delete b.dataset['sure']; b.textContent = '■ Stop'; }, 4000);
        },
      }, '■ Stop'),
    ];
  }

  update(model: Model) {
    const status = model.status;
    this.model = model;
    this.root.hidden = !status?.control || model.isEnded;
    if (this.root.hidden) return;
    const shape = this.token ? JSON.stringify([status!.paused, status!.control]) : 'locked';
    if (shape !== this.shown) {
      this.shown = shape;
      const parts = this.token ? this.buttons(model) : this.unlockForm();
      this.root.replaceChildren(...parts.filter((p): p is HTMLElement => p !== false));
    }
    if (this.token) this.refresh([status!.vus, status!.vusMax]);
  }

  // Fields that nobody is writing in follow the test.
  private refresh(values: number[]) {
    this.fields.forEach((f, i) => {
      if (f.input.value !== f.shown || f.input === document.activeElement) return;
      f.shown = f.input.value = String(values[i]);
    });
  }
}
