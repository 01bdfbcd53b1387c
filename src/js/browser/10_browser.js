// ---- 10 browser and contexts
let theBrowser = null; // of the scenario
const connected = new Set(); // those of chromium.connectOverCDP
function allBrowsers() { return theBrowser ? [theBrowser, ...connected] : [...connected]; }
const DEFAULT_TIMEOUT = 30000;

const NOT_IN_REGISTRY = 'browser not found in registry. ' +
  'make sure to set browser type option in scenario definition in order to use the browser module';

function envBool(name, missing) {
  const v = native.env(name);
  if (v === undefined || v === '') return missing;
  if (/^(1|t|T|TRUE|true|True)$/.test(v)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(v)) return false;
  throw new Error(`${name} should be a boolean`);
}
function envTimeout() {
  const v = native.env('K6_BROWSER_TIMEOUT');
  if (!v) return DEFAULT_TIMEOUT;
  const units = { ns: 1e-6, us: 1e-3, 'µs': 1e-3, ms: 1, s: 1000, m: 60000, h: 3600000 };
  let ms = 0, rest = v, m;
  while (rest && (m = /^([0-9.]+)(ns|us|µs|ms|s|m|h)/.exec(rest))) {
    ms += +m[1] * units[m[2]];
    rest = rest.slice(m[0].length);
  }
  if (rest || !(ms > 0)) throw new Error(`K6_BROWSER_TIMEOUT should be a time duration value: time: invalid duration ${quote(v)}`);
  return ms;
}
function browserFlags() {
  const isHeadless = envBool('K6_BROWSER_HEADLESS', true);
  const flags = new Map(Object.entries({
    'disable-background-networking': '', 'disable-background-timer-throttling': '',
    'disable-backgrounding-occluded-windows': '', 'disable-breakpad': '', 'disable-client-side-phishing-detection': '',
    'disable-component-extensions-with-background-pages': '', 'disable-component-update': '',
    'disable-default-apps': '', 'disable-dev-shm-usage': '', 'disable-extensions': '',
    // Frames of other sites stay in the page's process, so that one session sees them all.
    'disable-features': 'ImprovedCookieControls,LazyFrameLoading,GlobalMediaControls,DestroyProfileOnBrowserClose,' +
      'MediaRouter,AcceptCHFrame,BackForwardCache,Translate,OptimizationHints,IsolateOrigins,site-per-process',
    'disable-site-isolation-trials': '', 'disable-hang-monitor': '', 'disable-ipc-flooding-protection': '',
    'disable-popup-blocking': '', 'disable-prompt-on-repost': '', 'disable-renderer-backgrounding': '',
    'disable-sync': '', 'force-color-profile': 'srgb', 'metrics-recording-only': '', 'no-first-run': '',
    'enable-automation': '', 'password-store': 'basic', 'use-mock-keychain': '', 'no-service-autorun': '',
    'no-startup-window': '', 'no-default-browser-check': '', 'window-size': '800,600',
  }));
  const hosts = native.info().hosts.map(([name, to]) => `MAP ${name} ${to}`);
  if (isHeadless)
    for (const f of ['headless', 'hide-scrollbars', 'mute-audio', 'disable-gpu']) flags.set(f, '');
  if (isHeadless)
    flags.set('blink-settings', 'primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4');
  if (native.info().isRoot) flags.set('no-sandbox', '');
  for (const name of (native.env('K6_BROWSER_IGNORE_DEFAULT_ARGS') || '').split(','))
    flags.delete(name.trim().replace(/^--/, ''));
  for (const arg of (native.env('K6_BROWSER_ARGS') || '').split(',')) {
    const at = arg.indexOf('=');
    const name = (at < 0 ? arg : arg.slice(0, at)).trim().replace(/^--/, '');
    if (name) flags.set(name, at < 0 ? '' : arg.slice(at + 1).trim().replace(/^(['"])(.*)\1$/, '$2'));
  }
  if (hosts.length) flags.set('host-resolver-rules', [flags.get('host-resolver-rules'), ...hosts].filter((x) => x).sort().join(','));
  return [...flags].map(([k, v]) => v === '' ? `--${k}` : `--${k}=${v}`);
}

class Browser {
  constructor() {
    this.contexts = [];
    this.context = null;
    this.pages = new Map(); // target id -> Page
    this.isAlive = true;
  }
  *open(wsURL, ms) {
    this.isRemote = !!wsURL;
    const link = wsURL ? native.connect(wsURL, ms)
      : native.launch(native.env('K6_BROWSER_EXECUTABLE_PATH') || null, browserFlags());
    this.connection = new Connection(link);
    this.root = new Session(this.connection, '');
    this.root.on('Target.attachedToTarget', (e) => this.attached(e));
    this.root.on('Target.detachedFromTarget', (e) => this.detached(e));
    try {
      this.info = yield limited(this.root.send('Browser.getVersion'), ms);
      yield this.root.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true });
    } catch (e) {
      const words = native.words(link).trim().split('\n').pop();
      this.connection.close('target closed');
      throw new Error(`${e.message}${words ? `: ${words}` : ''}`);
    }
    log('debug', 'Browser', `${this.isRemote ? `connected to ${wsURL}` : 'launched'}: ${this.info.product}`);
  }
  eachPage(f) { for (const p of this.pages.values()) f(p); }
  ended(why) {
    this.isAlive = false;
    for (const p of [...this.pages.values()]) p.closed(why);
    for (const c of this.contexts) for (const w of c.pageWaiters.splice(0)) w.reject(new Error(why));
  }
  attached({ sessionId, targetInfo, waitingForDebugger }) {
    const session = new Session(this.connection, sessionId);
    const context = this.contexts.find((c) => c.id === targetInfo.browserContextId);
    if (targetInfo.type !== 'page' || !context) {
      // A target that nobody here wants goes on only when all who are attached let it go.
      if (waitingForDebugger) session.tell('Runtime.runIfWaitingForDebugger');
      this.root.tell('Target.detachFromTarget', { sessionId });
      return;
    }
    const page = new Page(context, session, targetInfo);
    this.pages.set(targetInfo.targetId, page);
    page.sessionId = sessionId;
    context.pages_.push(page);
    page.ready = spawn(page.prepare());
    page.ready.then((o) => {
      if (!o.error) context.pageIsReady(page);
      else log('debug', 'Browser:attached', `a page could not be prepared: ${o.error.message}`);
    });
  }
  detached({ sessionId }) {
    const session = this.connection.sessions.get(sessionId);
    if (session) session.close('target closed');
    for (const [id, page] of this.pages)
      if (page.sessionId === sessionId) {
        this.pages.delete(id);
        page.closed('target closed');
      }
  }
  *newContext(options, caller) {
    if (this.context) throw new Error('existing browser context must be closed before creating a new one');
    const o = parseContextOptions(options);
    const params = { disposeOnDetach: true };
    if (o.proxy) {
      if (!o.proxy.server) throw new Error(`parsing browser.${caller || 'newContext'} options: proxy.server must be set`);
      params.proxyServer = o.proxy.server;
      if (o.proxy.bypass) params.proxyBypassList = o.proxy.bypass;
    }
    const { browserContextId } = yield this.root.send('Target.createBrowserContext', params);
    const c = new BrowserContext(this, browserContextId, o);
    this.contexts.push(c);
    this.context = c;
    try {
      yield* c.prepare();
    } catch (e) {
      yield* c.close();
      throw e;
    }
    return c;
  }
  *newPage(options) {
    const c = yield* this.newContext(options, 'newPage');
    return yield* c.newPage();
  }
  *closeContext() {
    if (!this.context) throw new Error('cannot close context as none is active in browser');
    yield* this.context.close();
  }
  contextNow() { return this.context; }
  isConnected() { return this.isAlive && this.connection.isOpen(); }
  userAgent() { return this.info.userAgent.replace('Headless', ''); }
  version() { const p = this.info.product; return p.slice(p.indexOf('/') + 1); }
  *closeContexts() { for (const c of [...this.contexts]) yield* c.close(); }
  // Only browsers of chromium.connectOverCDP have it: the connection ends, the browser goes on.
  *close() {
    connected.delete(this);
    yield* this.closeContexts();
    this.leave();
  }
  leave() {
    this.isAlive = false;
    this.connection.close('browser closed');
  }
}

class BrowserType {
  *connectOverCDP(wsEndpoint) {
    const fail = (e) => new Error(`connecting to Chromium over CDP: ${e.message}`);
    const url = wsEndpoint === undefined || wsEndpoint === null ? '' : String(wsEndpoint);
    const invalid = (why) => fail(new Error(`invalid WebSocket endpoint ${quote(url)}: ${why}`));
    if (!url.trim()) throw fail(new Error('WebSocket endpoint cannot be empty'));
    const m = /^([a-z][a-z0-9+.-]*):(\/\/([^/?#]*))?/i.exec(url);
    if (!m || !/^wss?$/i.test(m[1])) throw invalid(`scheme must be ws or wss, got ${quote(m ? m[1] : '')}`);
    if (!m[3] || /^:/.test(m[3])) throw invalid('host is missing');
    if (native.info().isInit) throw fail(new Error('this is possible in iterations only'));
    const b = new Browser();
    b.isUserManaged = true;
    try {
      setUpLog();
      yield* b.open(url, envTimeout());
    } catch (e) {
      throw e && e.isScripts ? e : fail(new Error(`connecting to browser: ${e.message}`));
    }
    connected.add(b);
    return b;
  }
}

// A predicate, or { predicate, timeout }.
function waitOptions(o, what, unknown, notCallable) {
  if (typeof o === 'function') return { predicate: o };
  for (const k of Object.keys(o || {})) {
    if (k === 'predicate' && typeof o[k] !== 'function') throw new Error(`${what}: ${notCallable}`);
    if (k !== 'predicate' && k !== 'timeout') throw new Error(`${what}: ${unknown(k)}`);
  }
  return o || {};
}
function parseContextOptions(options) {
  const o = { viewport: { width: 1280, height: 720 }, screen: null, deviceScaleFactor: 1, locale: 'en-US',
    colorScheme: 'light', reducedMotion: 'no-preference', javaScriptEnabled: true, permissions: [], extraHTTPHeaders: {} };
  for (const k of Object.keys(options || {})) if (options[k] !== undefined) o[k] = options[k];
  if (o.geolocation) checkGeolocation(o.geolocation);
  if (o.viewport === null) o.noViewport = true;
  return o;
}
function checkGeolocation(g) {
  const fail = (what, v, low, high) => {
    throw new Error(`invalid ${what} "${Number(v).toFixed(2)}": precondition ${low} <= ${what.toUpperCase()}${high} failed`);
  };
  if (!(g.longitude >= -180 && g.longitude <= 180)) fail('longitude', g.longitude, -180, ' <= 180');
  if (!(g.latitude >= -90 && g.latitude <= 90)) fail('latitude', g.latitude, -90, ' <= 90');
  if (g.accuracy !== undefined && !(g.accuracy >= 0)) fail('accuracy', g.accuracy, 0, '');
}

const PERMISSIONS = {
  geolocation: 'geolocation', midi: 'midi', 'midi-sysex': 'midiSysex', notifications: 'notifications', camera: 'videoCapture',
  microphone: 'audioCapture', 'background-sync': 'backgroundSync', 'ambient-light-sensor': 'sensors', accelerometer: 'sensors',
  gyroscope: 'sensors', magnetometer: 'sensors', 'accessibility-events': 'accessibilityEvents',
  'clipboard-read': 'clipboardReadWrite', 'clipboard-write': 'clipboardSanitizedWrite', 'payment-handler': 'paymentHandler',
};

class BrowserContext {
  constructor(browser, id, options) {
    this.browser_ = browser;
    this.id = id;
    this.options = options;
    this.pages_ = [];
    this.scripts = [];
    this.pageWaiters = [];
    this.defaultTimeout = undefined;
    this.defaultNavigationTimeout = undefined;
  }
  browser() { return this.browser_; }
  pages() { return this.pages_.filter((p) => p.ready.done && !p.isClosed_); }
  timeout() { return this.defaultTimeout !== undefined ? this.defaultTimeout : envTimeout(); }
  navigationTimeout() {
    return this.defaultNavigationTimeout !== undefined ? this.defaultNavigationTimeout : this.timeout();
  }
  setDefaultTimeout(ms) { this.defaultTimeout = Number(ms); }
  setDefaultNavigationTimeout(ms) { this.defaultNavigationTimeout = Number(ms); }
  root(method, params) { return this.browser_.root.send(method, { ...params, browserContextId: this.id }); }
  *prepare() {
    const { permissions } = this.options;
    if (permissions.length) yield* this.grantPermissions(permissions);
    const { connection } = this.browser_;
    this.downloads = native.makeFolder(native.profile(connection.link));
    yield this.root('Browser.setDownloadBehavior', { behavior: 'allowAndName', downloadPath: this.downloads });
  }
  *newPage() {
    const { targetId } = yield this.browser_.root.send('Target.createTarget',
      { url: 'about:blank', browserContextId: this.id });
    const page = this.browser_.pages.get(targetId);
    if (!page) throw new Error("creating new page in browser context: can't fetch the page for unknown reason");
    try {
      yield limited(page.ready, this.timeout());
    } catch (e) {
      throw new Error(`creating new page in browser context: ${e.message}`);
    }
    return page;
  }
  pageIsReady(page) {
    for (const w of [...this.pageWaiters]) {
      let ok;
      try {
        ok = !w.predicate || w.predicate(page);
      } catch (e) {
        w.reject(e);
        continue;
      }
      if (ok) w.resolve(page);
    }
  }
  *waitForEvent(event, optionsOrPredicate) {
    if (event !== 'page')
      throw new Error(`incorrect event ${quote(event)}, "page" is the only event supported`);
    const { predicate, timeout } = waitOptions(optionsOrPredicate, 'parsing wait for event options', (k) => `unknown option: ${k}`,
      'predicate function is not callable');
    const w = new Op();
    w.predicate = predicate && ((page) => callScript(predicate, currentFace.wrap(page)));
    this.pageWaiters.push(w);
    const ms = timeout !== undefined ? timeout : this.timeout();
    try {
      return yield limited(w, ms, () => new Error(`waitForEvent timed out after ${goDuration(ms)}`));
    } finally {
      this.pageWaiters.splice(this.pageWaiters.indexOf(w), 1);
    }
  }
  *addCookies(cookies) {
    if (!Array.isArray(cookies) || !cookies.length) throw new Error('no cookies provided');
    const list = cookies.map((c) => {
      const show = () => JSON.stringify(c);
      if (!c.name) throw new Error(`cookie name must be set: ${show()}`);
      if (c.value === undefined || c.value === '') throw new Error(`cookie value must be set: ${show()}`);
      if (!c.url && !(c.domain && c.path)) throw new Error(`if cookie URL is not provided, both domain and path must be specified: ${show()}`);
      const cookie = { name: String(c.name), value: String(c.value) };
      // A script may give an origin where a domain belongs (QuickPizza's does).
      if (c.domain && /^[a-z]+:\/\//i.test(c.domain)) cookie.url = c.domain;
      else if (c.domain) cookie.domain = c.domain;
      for (const k of ['url', 'path', 'httpOnly', 'secure', 'sameSite']) if (c[k] !== undefined) cookie[k] = c[k];
      if (c.expires !== undefined && c.expires !== -1) cookie.expires = Number(c.expires);
      return cookie;
    });
    try {
      yield this.root('Storage.setCookies', { cookies: list });
    } catch (e) {
      throw new Error(`cannot set cookies: ${e.message}`);
    }
  }
  *cookies(...urls) {
    const { cookies } = yield this.root('Storage.getCookies');
    const wanted = urls.flat().map((u) => {
      const m = /^([a-z]+):\/\/([^/:?#]+)(?::\d+)?([^?#]*)/i.exec(u);
      if (!m) throw new Error(`parsing urls: ${quote(u)}: invalid URI for request`);
      return { secure: m[1] === 'https', host: m[2], path: m[3] || '/' };
    });
    const fits = (c, u) => {
      const d = c.domain.replace(/^\./, '');
      return (u.host === d || u.host.endsWith('.' + d)) && u.path.startsWith(c.path) && (!c.secure || u.secure);
    };
    return cookies.filter((c) => !wanted.length || wanted.some((u) => fits(c, u))).map((c) => ({
      name: c.name, value: c.value, domain: c.domain, path: c.path, expires: Math.floor(c.expires),
      httpOnly: c.httpOnly, secure: c.secure, sameSite: c.sameSite || '', url: '' }));
  }
  *clearCookies() { yield this.root('Storage.clearCookies'); }
  *grantPermissions(permissions, options) {
    const names = permissions.map((p) => {
      if (!PERMISSIONS[p]) throw new Error(`${quote(p)} is an invalid permission`);
      return PERMISSIONS[p];
    });
    const params = { permissions: names };
    if (options && options.origin) params.origin = options.origin;
    yield this.root('Browser.grantPermissions', params);
  }
  *clearPermissions() { yield this.root('Browser.resetPermissions'); }
  *addInitScript(script, arg) {
    const source = scriptSource(script, arg);
    this.scripts.push(source);
    yield* this.onPages((p) => p.session.send('Page.addScriptToEvaluateOnNewDocument', { source }));
  }
  *onPages(f) { yield allOf(this.pages().map(f)); }
  *setGeolocation(g) {
    if (g) checkGeolocation(g);
    this.options.geolocation = g;
    yield* this.onPages((p) => p.applyGeolocation());
  }
  *setHTTPCredentials(credentials) {
    this.options.httpCredentials = credentials;
    yield* this.onPages((p) => p.network.update());
  }
  *setOffline(offline) {
    this.options.offline = !!offline;
    yield* this.onPages((p) => p.network.applyConditions());
  }
  *close() {
    const b = this.browser_;
    const at = b.contexts.indexOf(this);
    if (at < 0) return;
    yield allOf(this.pages().map((p) => spawn(p.flushVitals())));
    b.contexts.splice(at, 1);
    if (b.context === this) b.context = null;
    for (const p of this.pages_) p.isClosed_ = true;
    try {
      yield b.root.send('Target.disposeBrowserContext', { browserContextId: this.id });
    } catch (e) {
      if (b.isConnected()) throw new Error(`disposing browser context: ${e.message}`);
    } finally {
      if (this.downloads) native.removeFolder(this.downloads);
    }
  }
}

function scriptSource(script, arg) {
  if (typeof script === 'function') return `(${String(script)})(${arg === undefined ? '' : JSON.stringify(arg)})`;
  if (script && typeof script === 'object' && script.content !== undefined) return String(script.content);
  return String(script);
}

// ---- the VU's browser
function start() {
  const info = native.info();
  if (info.type !== 'chromium') throw new Error(`unsupported browser type: ${info.type}`);
  if (theBrowser && theBrowser.isConnected()) return;
  if (theBrowser) theBrowser.leave();
  setUpLog();
  checkTracesMetadata();
  screenshotsOutput();
  const urls = (native.env('K6_BROWSER_WS_URL') || '').split(',').map((s) => s.trim()).filter((s) => s);
  const url = urls.length ? urls[Math.max(0, info.vu - 1) % urls.length] : null;
  const ms = envTimeout();
  theBrowser = new Browser();
  try {
    block(theBrowser.open(url, ms));
  } catch (e) {
    theBrowser = null;
    throw e && e.message !== undefined ? new Error(`${url ? 'connecting to browser' : 'launching browser'}: ${e.message}`) : e;
  }
}
// All that a browser can have left behind goes, without a word to it.
function reset() {
  native.closeAll();
  timers = [];
  connections.clear();
  connected.clear();
  failure = null;
  theBrowser = null;
}
function endIteration() {
  const ops = allBrowsers().map((b) => spawn(b.isUserManaged ? b.close() : b.closeContexts()));
  if (ops.length) blockOn(limited(allOf(ops), 5000));
}
function browserOfVU() {
  const info = native.info();
  if (info.isInit || !info.type) throw native.goError(NOT_IN_REGISTRY);
  if (!theBrowser) start();
  return theBrowser;
}
// There are no traces of the run itself that it could be added to.
function checkTracesMetadata() {
  for (const item of (native.env('K6_BROWSER_TRACES_METADATA') || '').split(','))
    if (item && item.split('=').length !== 2) throw new Error(`${quote(item)} is not a valid key=value metadata`);
}
