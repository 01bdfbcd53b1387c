// URL and URLSearchParams after https://url.spec.whatwg.org. Evaluated when a script first looks at one of them;
// gives both classes. coding: { TextEncoder, TextDecoder }, which v0.51 has not among its globals. Hosts that are not ASCII are lower-cased and written in Punycode, without the tables of IDNA.
(function (coding) {
  'use strict';

  const DEFAULT_PORTS = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21, file: null };
  const isSpecial = (u) => u.scheme in DEFAULT_PORTS;
  const encoder = new coding.TextEncoder();
  const decoder = new coding.TextDecoder('utf-8', { ignoreBOM: true });

  // ---- percent-encoding

  const set = (chars) => new Set([...chars].map((c) => c.charCodeAt(0)));
  const FRAGMENT = set(' "<>`');
  const QUERY = set(' "#<>');
  const SPECIAL_QUERY = set(' "#<>\'');
  const PATH = set(' "#<>?^`{}');
  const USERINFO = set(' "#<>?^`{}/:;=@[\\]|');
  const NOTHING = set('');

  function encode(text, table) {
    let out = '';
    for (const byte of encoder.encode(text)) {
      out += byte < 0x20 || byte > 0x7e || table.has(byte) ? '%' + byte.toString(16).toUpperCase().padStart(2, '0')
        : String.fromCharCode(byte);
    }
    return out;
  }

  function decodeBytes(text) {
    const bytes = encoder.encode(text), out = [];
    for (let i = 0; i < bytes.length; i++) {
      const hex = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
      if (/^[0-9a-fA-F]{2}$/.test(hex)) {
        out.push(parseInt(hex, 16));
        i += 2;
      } else {
        out.push(bytes[i]);
      }
    }
    return decoder.decode(new Uint8Array(out));
  }

  // ---- hosts

  function punycode(label) {
    const points = Array.from(label, (c) => c.codePointAt(0)), basic = points.filter((c) => c < 0x80);
    let out = String.fromCharCode(...basic) + (basic.length ? '-' : '');
    let n = 0x80, delta = 0, bias = 72, done = basic.length, isFirst = true;
    while (done < points.length) {
      const next = Math.min(...points.filter((c) => c >= n));
      delta += (next - n) * (done + 1);
      n = next;
      for (const c of points) {
        if (c < n) delta++;
        if (c !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
          if (q < t) break;
          const digit = t + ((q - t) % (36 - t));
          out += String.fromCharCode(digit < 26 ? 97 + digit : 22 + digit);
          q = Math.floor((q - t) / (36 - t));
        }
        out += String.fromCharCode(q < 26 ? 97 + q : 22 + q);
        delta = isFirst ? Math.floor(delta / 700) : delta >> 1;
        isFirst = false;
        delta += Math.floor(delta / (done + 1));
        let k = 0;
        for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
        bias = k + Math.floor((36 * delta) / (delta + 38));
        delta = 0;
        done++;
      }
      delta++;
      n++;
    }
    return 'xn--' + out;
  }

  function ipv4Number(text) {
    if (text === '') return NaN;
    if (/^0[xX][0-9a-fA-F]*$/.test(text)) return text.length === 2 ? 0 : parseInt(text.slice(2), 16);
    if (/^0[0-7]*$/.test(text)) return parseInt(text, 8);
    return /^[1-9][0-9]*$/.test(text) ? Number(text) : NaN;
  }

  // null: no IPv4 address is meant; undefined: a wrong one
  function parseIpv4(host) {
    const parts = host.split('.');
    if (parts[parts.length - 1] === '' && parts.length > 1) parts.pop();
    const last = parts[parts.length - 1];
    if (!/^[0-9]+$/.test(last) && !/^0[xX][0-9a-fA-F]*$/.test(last)) return null;
    const numbers = parts.map(ipv4Number);
    if (parts.length > 4 || numbers.some(Number.isNaN) || numbers.slice(0, -1).some((n) => n > 255) ||
        numbers[numbers.length - 1] >= 256 ** (5 - numbers.length)) return undefined;
    let address = numbers.pop();
    numbers.forEach((n, i) => { address += n * 256 ** (3 - i); });
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  }

  function parseIpv6(text) {
    let tail = [];
    const four = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
    if (four) {
      const bytes = four.slice(2).map(Number);
      if (bytes.some((b, i) => b > 255 || (four[i + 2].length > 1 && four[i + 2][0] === '0'))) return undefined;
      tail = [bytes[0] * 256 + bytes[1], bytes[2] * 256 + bytes[3]];
      text = four[1].endsWith('::') ? four[1] : four[1].slice(0, -1);
    }
    const halves = text.split('::');
    const read = (half) => (half === '' ? [] : half.split(':').map((p) => (/^[0-9a-fA-F]{1,4}$/.test(p) ? parseInt(p, 16) : NaN)));
    if (halves.length > 2) return undefined;
    const left = read(halves[0]), right = halves.length === 2 ? [...read(halves[1]), ...tail] : [];
    let pieces = halves.length === 2 ? left : [...left, ...tail];
    if (halves.length === 2) {
      if (left.length + right.length > 7) return undefined;
      pieces = [...left, ...Array(8 - left.length - right.length).fill(0), ...right];
    }
    if (pieces.length !== 8 || pieces.some(Number.isNaN)) return undefined;
    // the longest run of zeros, two at least, becomes ::
    let best = -1, bestLength = 1;
    for (let i = 0; i < 8; i++) {
      let n = 0;
      while (i + n < 8 && pieces[i + n] === 0) n++;
      if (n > bestLength) [best, bestLength] = [i, n];
      i += n;
    }
    const hex = pieces.map((p) => p.toString(16));
    return '[' + (best < 0 ? hex.join(':') : hex.slice(0, best).join(':') + '::' + hex.slice(best + bestLength).join(':')) + ']';
  }

  function parseHost(text, special) {
    if (text[0] === '[') return text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : undefined;
    if (!special) return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? undefined : encode(text, NOTHING);
    let host = decodeBytes(text).normalize('NFKC').toLowerCase().replace(/[\u3002\uff0e\uff61]/g, '.').replace(/\u00ad/g, '');
    host = host.split('.').map((label) => (/[^\0-\x7f]/.test(label) ? punycode(label) : label)).join('.');
    if (host === '' || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(host)) return undefined;
    const four = parseIpv4(host);
    return four === null ? host : four;
  }

  // ---- the parser: undefined for what is no URL

  function parseAuthority(u, text) {
    const at = text.lastIndexOf('@');
    if (at >= 0) {
      const user = text.slice(0, at), colon = user.indexOf(':');
      u.username = encode(colon < 0 ? user : user.slice(0, colon), USERINFO);
      u.password = colon < 0 ? '' : encode(user.slice(colon + 1), USERINFO);
    }
    return parseHostPort(u, text.slice(at + 1), at >= 0);
  }

  function parseHostPort(u, text, hasUser) {
    const m = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text);
    if (!m || (m[1] === '' && (isSpecial(u) || hasUser || m[2] !== undefined))) return false;
    const host = m[1] === '' ? '' : parseHost(m[1], isSpecial(u));
    if (host === undefined || (m[2] && !/^\d+$/.test(m[2])) || Number(m[2]) > 65535) return false;
    u.host = host;
    u.port = m[2] && Number(m[2]) !== DEFAULT_PORTS[u.scheme] ? Number(m[2]) : null;
    return true;
  }

  const isDrive = (s) => /^[A-Za-z][:|]$/.test(s);

  function shorten(u) {
    if (!(u.scheme === 'file' && u.path.length === 1 && /^[A-Za-z]:$/.test(u.path[0]))) u.path.pop();
  }

  function parsePath(u, text) {
    const segments = text.split(isSpecial(u) ? /[/\\]/ : '/');
    segments.forEach((segment, i) => {
      const isLast = i === segments.length - 1, plain = segment.replace(/%2e/gi, '.');
      if (plain === '..') {
        shorten(u);
        if (isLast) u.path.push('');
      } else if (plain === '.') {
        if (isLast) u.path.push('');
      } else {
        if (u.scheme === 'file' && u.path.length === 0 && isDrive(segment)) segment = segment[0] + ':';
        u.path.push(encode(segment, PATH));
      }
    });
  }

  function cut(text, mark) {
    const at = text.indexOf(mark);
    return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  }

  const setQuery = (u, query) => { u.query = query === null ? null : encode(query, isSpecial(u) ? SPECIAL_QUERY : QUERY); };

  // behind scheme://
  function parseWithAuthority(u, rest, query) {
    const end = rest.search(isSpecial(u) ? /[/\\]/ : /\//), authority = end < 0 ? rest : rest.slice(0, end);
    if (u.scheme === 'file') {
      if (isDrive(authority)) {
        u.host = '';
        parsePath(u, rest);
        setQuery(u, query);
        return u;
      }
      const host = authority === '' ? '' : parseHost(authority, true);
      if (host === undefined) return undefined;
      u.host = host === 'localhost' ? '' : host;
    } else if (!parseAuthority(u, authority)) {
      return undefined;
    }
    if (end >= 0) parsePath(u, rest.slice(end + 1));
    else if (isSpecial(u)) u.path = [''];
    setQuery(u, query);
    return u;
  }

  function parseRelative(u, base, rest, query) {
    const slash = isSpecial(u) ? /^[/\\]/ : /^\//, slashes = isSpecial(u) ? /^[/\\]{2}/ : /^\/\//;
    if (slashes.test(rest)) return parseWithAuthority(u, rest.slice(2), query);
    Object.assign(u, { username: base.username, password: base.password, host: base.host, port: base.port });
    if (slash.test(rest)) {
      if (u.scheme === 'file' && base.path.length && /^[A-Za-z]:$/.test(base.path[0]) && !isDrive(rest.slice(1, 3)))
        u.path = [base.path[0]];
      parsePath(u, rest.slice(1));
    } else {
      u.path = [...base.path];
      if (rest === '') {
        if (isSpecial(u) && u.path.length === 0) u.path = [''];
        if (query === null) {
          u.query = base.query;
          return u;
        }
      } else {
        if (u.scheme === 'file' && isDrive(rest.slice(0, 2)) && /^.{2}([/\\]|$)/.test(rest)) u.path = [];
        else shorten(u);
        parsePath(u, rest);
      }
    }
    setQuery(u, query);
    return u;
  }

  function parse(input, base) {
    const text = input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, '').replace(/[\t\n\r]/g, '');
    const [head, fragment] = cut(text, '#');
    const u = { scheme: '', username: '', password: '', host: null, port: null, path: [], query: null, fragment: null };
    u.fragment = fragment === null ? null : encode(fragment, FRAGMENT);
    const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(head);
    if (!scheme) {
      if (!base || (typeof base.path === 'string' && (head !== '' || fragment === null))) return undefined;
      u.scheme = base.scheme;
      if (typeof base.path === 'string') return Object.assign(u, { path: base.path, query: base.query });
      const [rest, query] = cut(head, '?');
      return parseRelative(u, base, rest, query);
    }
    u.scheme = scheme[0].toLowerCase();
    const [rest, query] = cut(head.slice(scheme[0].length + 1), '?');
    if (u.scheme === 'file') {
      if (/^[/\\]{2}/.test(rest)) return parseWithAuthority(u, rest.slice(2), query);
      const own = base && base.scheme === 'file' ? base : { username: '', password: '', host: '', port: null, path: [], query: null };
      return parseRelative(u, own, rest, query);
    }
    if (isSpecial(u)) {
      if (base && base.scheme === u.scheme && !/^[/\\]{2}/.test(rest)) return parseRelative(u, base, rest, query);
      return parseWithAuthority(u, rest.replace(/^[/\\]+/, ''), query);
    }
    if (rest.startsWith('//')) return parseWithAuthority(u, rest.slice(2), query);
    if (rest.startsWith('/')) parsePath(u, rest.slice(1));
    else u.path = encode(rest, NOTHING);
    setQuery(u, query);
    return u;
  }

  const pathOf = (u) => (typeof u.path === 'string' ? u.path : u.path.map((p) => '/' + p).join(''));
  const hostOf = (u) => (u.host === null ? '' : u.port === null ? u.host : `${u.host}:${u.port}`);

  function hrefOf(u) {
    let out = u.scheme + ':';
    if (u.host !== null) {
      const user = u.username || u.password ? u.username + (u.password ? ':' + u.password : '') + '@' : '';
      out += '//' + user + hostOf(u);
    } else if (typeof u.path !== 'string' && u.path.length > 1 && u.path[0] === '') {
      out += '/.';
    }
    return out + pathOf(u) + (u.query === null ? '' : '?' + u.query) + (u.fragment === null ? '' : '#' + u.fragment);
  }

  // ---- URLSearchParams

  const formEncode = (text) => encodeURIComponent(String(text).toWellFormed ? String(text).toWellFormed() : String(text))
    .replace(/%20/g, '+').replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
  const formDecode = (text) => decodeBytes(text.replace(/\+/g, ' '));

  class URLSearchParams {
    #list = [];
    #changed = () => {};

    constructor(init = '') {
      if (init !== null && (typeof init === 'object' || typeof init === 'function')) {
        if (typeof init[Symbol.iterator] === 'function') {
          for (const pair of init) {
            const two = [...pair];
            if (two.length !== 2) throw new TypeError('Each query pair must be an iterable [name, value] tuple');
            this.#list.push([String(two[0]), String(two[1])]);
          }
        } else {
          for (const name of Object.keys(init)) this.#list.push([name, String(init[name])]);
        }
      } else {
        this.#read(String(init).replace(/^\?/, ''));
      }
    }

    #read(text) {
      this.#list = text.split('&').filter((p) => p !== '').map((p) => {
        const [name, value] = cut(p, '=');
        return [formDecode(name), formDecode(value === null ? '' : value)];
      });
    }

    static of(text, changed) {
      const params = new URLSearchParams(text);
      params.#changed = changed;
      return params;
    }

    static read(params, text) { params.#read(text); }

    get size() { return this.#list.length; }
    append(name, value) { this.#list.push([String(name), String(value)]); this.#changed(); }
    delete(name, value) {
      this.#list = this.#list.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== String(value)));
      this.#changed();
    }
    get(name) { return (this.#list.find(([n]) => n === String(name)) || [null, null])[1]; }
    getAll(name) { return this.#list.filter(([n]) => n === String(name)).map(([, v]) => v); }
    has(name, value) { return this.#list.some(([n, v]) => n === String(name) && (value === undefined || v === String(value))); }
    set(name, value) {
      const at = this.#list.findIndex(([n]) => n === String(name));
      if (at < 0) this.#list.push([String(name), String(value)]);
      else this.#list = this.#list.filter(([n], i) => n !== String(name) || i === at);
      if (at >= 0) this.#list[at] = [String(name), String(value)];
      this.#changed();
    }
    sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(); }
    forEach(fn, self) { for (const [n, v] of this.#list) fn.call(self, v, n, this); }
    *entries() { for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]]; }
    *keys() { for (const [n] of this.entries()) yield n; }
    *values() { for (const [, v] of this.entries()) yield v; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([n, v]) => `${formEncode(n)}=${formEncode(v)}`).join('&'); }
    get [Symbol.toStringTag]() { return 'URLSearchParams'; }
  }
  const { of: paramsOf, read: readParams } = URLSearchParams;
  delete URLSearchParams.of;
  delete URLSearchParams.read;

  // ---- URL

  const cannotHaveUser = (u) => u.host === null || u.host === '' || u.scheme === 'file';

  class URL {
    #u;
    #params = null;

    constructor(url, base) {
      const from = base === undefined ? undefined : parse(String(base));
      const u = base !== undefined && !from ? undefined : parse(String(url), from);
      if (!u) throw new TypeError('Invalid URL: ' + String(url));
      this.#u = u;
    }

    static canParse(url, base) {
      const from = base === undefined ? undefined : parse(String(base));
      return !(base !== undefined && !from) && parse(String(url), from) !== undefined;
    }
    static parse(url, base) { return URL.canParse(url, base) ? new URL(url, base) : null; }

    #replace(u) {
      this.#u = u;
      if (this.#params) readParams(this.#params, u.query === null ? '' : u.query);
    }

    get href() { return hrefOf(this.#u); }
    set href(v) {
      const u = parse(String(v));
      if (!u) throw new TypeError('Invalid URL: ' + String(v));
      this.#replace(u);
    }
    get origin() {
      const u = this.#u;
      if (u.scheme === 'blob' && typeof u.path === 'string') {
        const inner = parse(u.path);
        return inner && /^https?$/.test(inner.scheme) ? `${inner.scheme}://${hostOf(inner)}` : 'null';
      }
      return isSpecial(u) && u.scheme !== 'file' ? `${u.scheme}://${hostOf(u)}` : 'null';
    }
    get protocol() { return this.#u.scheme + ':'; }
    set protocol(v) {
      const m = /^([A-Za-z][A-Za-z0-9+.-]*)(:|$)/.exec(String(v)), u = this.#u;
      const scheme = m && m[1].toLowerCase();
      if (!m || (scheme in DEFAULT_PORTS) !== isSpecial(u) || (scheme === 'file' && (u.username || u.password || u.port !== null)) ||
          (u.scheme === 'file' && u.host === '')) return;
      u.scheme = scheme;
      if (u.port === DEFAULT_PORTS[scheme]) u.port = null;
    }
    get username() { return this.#u.username; }
    set username(v) { if (!cannotHaveUser(this.#u)) this.#u.username = encode(String(v), USERINFO); }
    get password() { return this.#u.password; }
    set password(v) { if (!cannotHaveUser(this.#u)) this.#u.password = encode(String(v), USERINFO); }
    get host() { return hostOf(this.#u); }
    set host(v) {
      const u = this.#u, old = u.port, text = String(v).replace(isSpecial(u) ? /[/\\?#].*$/s : /[/?#].*$/s, '');
      if (typeof u.path === 'string') return;
      const copy = { ...u }, port = /:(\d+)$/.exec(text);
      if (!parseHostPort(copy, port && Number(port[1]) > 65535 ? text.slice(0, port.index) : text, false)) return;
      u.host = copy.host;
      u.port = port && Number(port[1]) <= 65535 ? copy.port : old;
    }
    get hostname() { return this.#u.host === null ? '' : this.#u.host; }
    set hostname(v) {
      const u = this.#u, text = String(v).replace(isSpecial(u) ? /[/\\?#].*$/s : /[/?#].*$/s, '');
      if (typeof u.path === 'string' || (/:/.test(text) && text[0] !== '[') || (text === '' && isSpecial(u))) return;
      const host = text === '' ? '' : parseHost(text, isSpecial(u));
      if (host !== undefined) u.host = host;
    }
    get port() { return this.#u.port === null ? '' : String(this.#u.port); }
    set port(v) {
      const u = this.#u, digits = /^\d*/.exec(String(v))[0];
      if (cannotHaveUser(u)) return;
      if (String(v) === '') u.port = null;
      else if (digits !== '' && Number(digits) <= 65535) u.port = Number(digits) === DEFAULT_PORTS[u.scheme] ? null : Number(digits);
    }
    get pathname() { return pathOf(this.#u); }
    set pathname(v) {
      const u = this.#u;
      if (typeof u.path === 'string') return;
      u.path = [];
      parsePath(u, String(v).replace(isSpecial(u) ? /^[/\\]/ : /^\//, ''));
    }
    get search() { return this.#u.query ? '?' + this.#u.query : ''; }
    set search(v) {
      const text = String(v).replace(/^\?/, '');
      setQuery(this.#u, String(v) === '' ? null : text);
      if (this.#params) readParams(this.#params, text);
    }
    get searchParams() {
      if (!this.#params) {
        this.#params = paramsOf(this.#u.query || '', () => {
          const text = this.#params.toString();
          this.#u.query = text === '' ? null : text;
        });
      }
      return this.#params;
    }
    get hash() { return this.#u.fragment ? '#' + this.#u.fragment : ''; }
    set hash(v) {
      this.#u.fragment = String(v) === '' ? null : encode(String(v).replace(/^#/, ''), FRAGMENT);
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    get [Symbol.toStringTag]() { return 'URL'; }
  }

  return { URL, URLSearchParams };
})
