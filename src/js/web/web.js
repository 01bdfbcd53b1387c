// What browsers have and k6 has not: events, AbortController, structuredClone, atob and btoa, performance, and fetch with its
// classes. Evaluated when a script first looks at one of them; gives them all.
// host: { asyncRequest, Blob, TextEncoder, TextDecoder, now() in milliseconds, startedAt }; web: { URL, URLSearchParams }.
(function (host, web) {
  'use strict';

  const { TextEncoder, TextDecoder } = host;

  // ---- DOMException and events

  const CODES = { IndexSizeError: 1, HierarchyRequestError: 3, InvalidCharacterError: 5, NotFoundError: 8, NotSupportedError: 9,
    InvalidStateError: 11, SyntaxError: 12, InvalidAccessError: 15, TimeoutError: 23, DataCloneError: 25, AbortError: 20 };

  class DOMException extends Error {
    #name;
    constructor(message = '', name = 'Error') {
      super(message);
      this.#name = String(name);
    }
    get name() { return this.#name; }
    get code() { return CODES[this.#name] || 0; }
  }

  class Event {
    #stopped = false;
    constructor(type, init = {}) {
      this.type = String(type);
      this.cancelable = Boolean(init.cancelable);
      this.bubbles = Boolean(init.bubbles);
      this.defaultPrevented = false;
      this.target = this.currentTarget = null;
      this.timeStamp = host.now();
    }
    preventDefault() { if (this.cancelable) this.defaultPrevented = true; }
    stopPropagation() {}
    stopImmediatePropagation() { this.#stopped = true; }
    static isStopped(event) { return event.#stopped; }
  }
  const { isStopped } = Event;
  delete Event.isStopped;

  class CustomEvent extends Event {
    constructor(type, init = {}) {
      super(type, init);
      this.detail = init.detail === undefined ? null : init.detail;
    }
  }

  class EventTarget {
    #listeners = [];
    addEventListener(type, fn, options = {}) {
      const once = typeof options === 'object' && Boolean(options.once), signal = options && options.signal;
      if (fn === null || fn === undefined || (signal && signal.aborted)) return;
      if (this.#listeners.some((l) => l.type === type && l.fn === fn)) return;
      this.#listeners.push({ type, fn, once });
      if (signal) signal.addEventListener('abort', () => this.removeEventListener(type, fn), { once: true });
    }
    removeEventListener(type, fn) { this.#listeners = this.#listeners.filter((l) => l.type !== type || l.fn !== fn); }
    dispatchEvent(event) {
      event.target = event.currentTarget = this;
      const property = this['on' + event.type];
      if (typeof property === 'function') property.call(this, event);
      for (const l of [...this.#listeners]) {
        if (l.type !== event.type || isStopped(event)) continue;
        if (l.once) this.removeEventListener(l.type, l.fn);
        if (typeof l.fn === 'function') l.fn.call(this, event);
        else l.fn.handleEvent(event);
      }
      return !event.defaultPrevented;
    }
  }

  // ---- AbortController

  const own = Symbol('own');

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason;
    constructor(key) {
      super();
      if (key !== own) throw new TypeError('Illegal constructor');
      this.onabort = null;
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    static fire(signal, reason) {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      signal.dispatchEvent(new Event('abort'));
    }
    static abort(reason) {
      const signal = new AbortSignal(own);
      fire(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = new AbortSignal(own);
      setTimeout(() => fire(signal, new DOMException('The operation timed out.', 'TimeoutError')), ms);
      return signal;
    }
    static any(signals) {
      const signal = new AbortSignal(own);
      for (const s of signals) {
        if (s.aborted) {
          fire(signal, s.reason);
          break;
        }
        s.addEventListener('abort', () => fire(signal, s.reason), { once: true });
      }
      return signal;
    }
  }
  const { fire } = AbortSignal;
  delete AbortSignal.fire;

  class AbortController {
    #signal = new AbortSignal(own);
    get signal() { return this.#signal; }
    abort(reason) { fire(this.#signal, reason); }
  }

  // ---- base64, clones, time

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function btoa(data) {
    const text = String(data);
    let out = '';
    for (let i = 0; i < text.length; i += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => text.charCodeAt(i + k));
      if (a > 255 || b > 255 || c > 255)
        throw new DOMException('The string to be encoded contains characters outside of the Latin1 range.', 'InvalidCharacterError');
      const n = (a << 16) | ((b || 0) << 8) | (c || 0);
      out += LETTERS[n >> 18] + LETTERS[(n >> 12) & 63] + (Number.isNaN(b) ? '=' : LETTERS[(n >> 6) & 63]) +
        (Number.isNaN(c) ? '=' : LETTERS[n & 63]);
    }
    return out;
  }

  function atob(data) {
    let text = String(data).replace(/[\t\n\f\r ]/g, '');
    if (text.length % 4 === 0) text = text.replace(/==?$/, '');
    if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text))
      throw new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError');
    let out = '', bits = 0, n = 0;
    for (const letter of text) {
      n = ((n << 6) | LETTERS.indexOf(letter)) & 0xffffff;
      bits += 6;
      if (bits >= 8) out += String.fromCharCode((n >> (bits -= 8)) & 255);
    }
    return out;
  }

  function clone(v, seen) {
    if (typeof v === 'function' || typeof v === 'symbol') throw new DOMException(`${String(v)} could not be cloned.`, 'DataCloneError');
    if (typeof v !== 'object' || v === null) return v;
    if (seen.has(v)) return seen.get(v);
    const keep = (copy) => (seen.set(v, copy), copy);
    if (v instanceof Date) return keep(new Date(v.getTime()));
    if (v instanceof RegExp) return keep(new RegExp(v.source, v.flags));
    if (v instanceof ArrayBuffer) return keep(v.slice(0));
    if (ArrayBuffer.isView(v)) {
      const buffer = clone(v.buffer, seen);
      return keep(v instanceof DataView ? new DataView(buffer, v.byteOffset, v.byteLength) : new v.constructor(buffer, v.byteOffset, v.length));
    }
    if (v instanceof Boolean || v instanceof Number || v instanceof String || v instanceof BigInt) return keep(Object(v.valueOf()));
    if (v instanceof Map) {
      const copy = keep(new Map());
      for (const [k, x] of [...v]) copy.set(clone(k, seen), clone(x, seen));
      return copy;
    }
    if (v instanceof Set) {
      const copy = keep(new Set());
      for (const x of [...v]) copy.add(clone(x, seen));
      return copy;
    }
    if (v instanceof Error) {
      const types = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
      const copy = keep(Object.create((types[v.name] || Error).prototype));
      for (const name of ['message', 'stack', 'cause'])
        if (Object.hasOwn(v, name)) Object.defineProperty(copy, name, { value: clone(v[name], seen), writable: true, configurable: true });
      return copy;
    }
    if (v instanceof Promise || v instanceof WeakMap || v instanceof WeakSet)
      throw new DOMException(`${Object.prototype.toString.call(v)} could not be cloned.`, 'DataCloneError');
    const copy = keep(Array.isArray(v) ? new Array(v.length) : {});
    for (const k of Object.keys(v)) copy[k] = clone(v[k], seen);
    return copy;
  }

  const structuredClone = (value) => clone(value, new Map());

  function queueMicrotask(fn) {
    if (typeof fn !== 'function') throw new TypeError('queueMicrotask requires a function');
    Promise.resolve().then(() => { fn(); });
  }

  const performance = { timeOrigin: host.startedAt, now: host.now, toJSON: () => ({ timeOrigin: host.startedAt }) };

  // ---- Headers, FormData

  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

  class Headers {
    #map = new Map();
    constructor(init) {
      if (init === undefined || init === null) return;
      const pairs = typeof init[Symbol.iterator] === 'function' ? init : Object.entries(init);
      for (const [name, value] of pairs) this.append(name, value);
    }
    #name(name) {
      if (!token.test(name)) throw new TypeError(`${name} is not a legal HTTP header name`);
      return String(name).toLowerCase();
    }
    append(name, value) {
      const key = this.#name(name), v = String(value).trim();
      this.#map.set(key, this.#map.has(key) ? `${this.#map.get(key)}, ${v}` : v);
    }
    delete(name) { this.#map.delete(this.#name(name)); }
    get(name) { const v = this.#map.get(this.#name(name)); return v === undefined ? null : v; }
    getSetCookie() { const v = this.get('set-cookie'); return v === null ? [] : v.split(/, (?=[^;, ]+=)/); }
    has(name) { return this.#map.has(this.#name(name)); }
    set(name, value) { this.#map.set(this.#name(name), String(value).trim()); }
    forEach(fn, self) { for (const [k, v] of this) fn.call(self, v, k, this); }
    *entries() { for (const k of [...this.#map.keys()].sort()) yield [k, this.#map.get(k)]; }
    *keys() { for (const [k] of this.entries()) yield k; }
    *values() { for (const [, v] of this.entries()) yield v; }
    [Symbol.iterator]() { return this.entries(); }
    get [Symbol.toStringTag]() { return 'Headers'; }
  }

  class FormData {
    #list = [];
    #entry(name, value, filename) {
      if (value instanceof host.Blob) return [String(name), value, filename === undefined ? 'blob' : String(filename)];
      return [String(name), String(value)];
    }
    append(name, value, filename) { this.#list.push(this.#entry(name, value, filename)); }
    delete(name) { this.#list = this.#list.filter(([n]) => n !== name); }
    get(name) { return (this.#list.find(([n]) => n === name) || [null, null])[1]; }
    getAll(name) { return this.#list.filter(([n]) => n === name).map(([, v]) => v); }
    has(name) { return this.#list.some(([n]) => n === name); }
    set(name, value, filename) {
      const at = this.#list.findIndex(([n]) => n === name);
      this.#list = this.#list.filter(([n], i) => n !== name || i === at);
      if (at < 0) this.append(name, value, filename);
      else this.#list[at] = this.#entry(name, value, filename);
    }
    *entries() { for (const [n, v] of this.#list) yield [n, v]; }
    [Symbol.iterator]() { return this.entries(); }
    forEach(fn, self) { for (const [n, v] of this) fn.call(self, v, n, this); }
    static parts(form) { return form.#list; }
  }
  const { parts } = FormData;
  delete FormData.parts;

  const escapeName = (s) => s.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');

  function multipart(form) {
    const boundary = '----kiln' + Array.from({ length: 24 }, () => LETTERS[Math.floor(Math.random() * 62)]).join('');
    const pieces = [];
    for (const [name, value, filename] of parts(form)) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
      if (filename === undefined) pieces.push(`${head}\r\n\r\n${value}\r\n`);
      else pieces.push(`${head}; filename="${escapeName(filename)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`, value, '\r\n');
    }
    pieces.push(`--${boundary}--\r\n`);
    return { type: 'multipart/form-data; boundary=' + boundary, blob: new host.Blob(pieces) };
  }

  // ---- bodies: kept as a string, bytes or null; given to http as they are

  async function readBody(init) {
    if (init === null || init === undefined) return { data: null };
    if (init instanceof ArrayBuffer) return { data: init };
    if (ArrayBuffer.isView(init)) return { data: init.buffer.slice(init.byteOffset, init.byteOffset + init.byteLength) };
    if (init instanceof host.Blob) return { data: await init.arrayBuffer(), type: init.type };
    if (init instanceof web.URLSearchParams) return { data: init.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
    if (init instanceof FormData) {
      const { type, blob } = multipart(init);
      return { data: await blob.arrayBuffer(), type };
    }
    return { data: String(init), type: 'text/plain;charset=UTF-8' };
  }

  class Body {
    #ready;
    #used = false;
    constructor(init) {
      this.#ready = readBody(init);
    }
    get bodyUsed() { return this.#used; }
    static ready(body) { return body.#ready; }
    static copy(body, init) {
      if (body.#used) throw new TypeError('Body has already been read');
      init.#ready = body.#ready;
      return init;
    }
    async #take() {
      if (this.#used) throw new TypeError('Body has already been read');
      this.#used = true;
      return (await this.#ready).data;
    }
    async arrayBuffer() {
      const data = await this.#take();
      return data === null ? new ArrayBuffer(0) : typeof data === 'string' ? new TextEncoder().encode(data).buffer : data;
    }
    async bytes() { return new Uint8Array(await this.arrayBuffer()); }
    async text() {
      const data = await this.#take();
      return data === null ? '' : typeof data === 'string' ? data : new TextDecoder().decode(data);
    }
    async json() { return JSON.parse(await this.text()); }
    async blob() { return new host.Blob([await this.arrayBuffer()], { type: this.headers.get('content-type') || '' }); }
    async formData() {
      const params = new web.URLSearchParams(await this.text()), form = new FormData();
      for (const [n, v] of params) form.append(n, v);
      return form;
    }
  }
  const { ready, copy } = Body;
  delete Body.ready;
  delete Body.copy;

  const METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];

  class Request extends Body {
    constructor(input, init = {}) {
      const from = input instanceof Request ? input : null;
      super(init.body === undefined ? null : init.body);
      if (from && init.body === undefined) copy(from, this);
      this.url = from ? from.url : new web.URL(String(input)).href;
      const method = String(init.method === undefined ? (from ? from.method : 'GET') : init.method);
      this.method = METHODS.includes(method.toUpperCase()) ? method.toUpperCase() : method;
      if (!token.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method`);
      if (init.body !== undefined && init.body !== null && (this.method === 'GET' || this.method === 'HEAD'))
        throw new TypeError('Request with GET/HEAD method cannot have body');
      this.headers = new Headers(init.headers === undefined ? from && from.headers : init.headers);
      this.redirect = init.redirect === undefined ? (from ? from.redirect : 'follow') : init.redirect;
      this.signal = init.signal === undefined ? (from ? from.signal : null) : init.signal;
      // additions: what k6/http takes
      for (const name of ['tags', 'timeout']) this[name] = init[name] === undefined ? from && from[name] : init[name];
    }
    clone() { return new Request(this); }
    get [Symbol.toStringTag]() { return 'Request'; }
  }

  class Response extends Body {
    constructor(body = null, init = {}) {
      super(body);
      const status = init.status === undefined ? 200 : Number(init.status);
      if (!(status >= 200 && status <= 599) && init.key !== own)
        throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`);
      this.status = status;
      this.statusText = init.statusText === undefined ? '' : String(init.statusText);
      this.headers = new Headers(init.headers);
      this.ok = status >= 200 && status <= 299;
      this.url = init.key === own ? init.url : '';
      this.redirected = init.key === own && Boolean(init.redirected);
      this.type = init.key === own ? init.type || 'basic' : 'default';
      const type = typeof body === 'string' ? 'text/plain;charset=UTF-8' : body && body.type;
      if (init.key !== own && type && !this.headers.has('content-type')) this.headers.set('content-type', type);
    }
    clone() {
      return copy(this, new Response(null, { key: own, status: this.status, statusText: this.statusText, headers: this.headers, url: this.url,
        redirected: this.redirected, type: this.type }));
    }
    static error() { return new Response(null, { key: own, status: 0, type: 'error', url: '' }); }
    static json(data, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(JSON.stringify(data), { ...init, headers });
    }
    static redirect(url, status = 302) {
      return new Response(null, { key: own, status, headers: { location: new web.URL(String(url)).href }, url: '' });
    }
    get [Symbol.toStringTag]() { return 'Response'; }
  }

  // ---- fetch: http.asyncRequest with another face; the samples are those of k6/http

  async function send(request) {
    const { data, type } = await ready(request);
    if (type && !request.headers.has('content-type')) request.headers.set('content-type', type);
    const params = { headers: Object.fromEntries(request.headers), responseType: 'binary', throw: true,
      redirects: request.redirect === 'follow' ? 20 : 0 };
    for (const name of ['tags', 'timeout']) if (request[name] !== undefined && request[name] !== null) params[name] = request[name];
    let res;
    try {
      res = await host.asyncRequest(request.method, request.url, data, params);
    } catch (e) {
      throw new TypeError('fetch failed: ' + e.message, { cause: e });
    }
    if (request.redirect === 'error' && res.status >= 300 && res.status < 400 && res.headers.Location !== undefined)
      throw new TypeError('fetch failed: unexpected redirect');
    return new Response(res.body, { key: own, status: res.status, statusText: res.status_text.replace(/^\d+ ?/, ''), headers: res.headers,
      url: res.url, redirected: res.url !== request.url });
  }

  // An aborted request is answered at once; what is on the wire ends by itself.
  function fetch(input, init) {
    return new Promise((resolve, reject) => {
      const request = new Request(input, init), { signal } = request;
      if (signal && signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (signal) signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      send(request).then(resolve, reject);
    });
  }

  return { AbortController, AbortSignal, CustomEvent, DOMException, Event, EventTarget, FormData, Headers, Request, Response, atob, btoa, fetch,
    performance, queueMicrotask, structuredClone };
})
