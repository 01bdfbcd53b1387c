// ---- 30 pages, frames, workers
const LIFECYCLE = { load: 'load', domcontentloaded: 'DOMContentLoaded', networkidle: 'networkIdle' };
function lifecycleName(state, otherwise) {
  const s = state === undefined ? otherwise : String(state);
  if (!LIFECYCLE[s]) throw new Error(`invalid lifecycle event: ${quote(s)}; must be one of: load, domcontentloaded, networkidle`);
  return LIFECYCLE[s];
}
const NAVIGATED_AWAY = /Execution context was destroyed|Cannot find context|Inspected target navigated|uniqueContextId not found|Cannot find default execution context/;
const EVENTS = ['console', 'metric', 'request', 'requestfailed', 'requestfinished', 'response'];

class Page {
  constructor(context, session, info) {
    this.context_ = context;
    this.session = session;
    this.sessions = new Set();
    this.earlyWorlds = new Map(); // frame id -> world that came before its frame
    this.targetId = info.targetId;
    this.openerId = info.openerId;
    this.frames = new Map();
    this.main = null;
    this.isClosed_ = false;
    this.gone = new Op();
    this.listeners = [];
    this.watchers = []; // internal: { event, predicate, op }
    this.workers_ = [];
    this.extraHeaders = {};
    const v = context.options.viewport;
    this.viewport = v ? { width: v.width, height: v.height } : null;
    this.media = { media: '', colorScheme: context.options.colorScheme, reducedMotion: context.options.reducedMotion };
    this.network = new Network(this);
    this.keyboard = new Keyboard(this);
    this.mouse = new Mouse(this);
    this.touchscreen = new Touchscreen(this);
  }
  // The page has one session, and one more for each tree of frames in another process.
  sendAll(method, params) { return allOf([...this.sessions].map((s) => s.send(method, params))); }
  listen(s) {
    const on = (m, f) => s.on(m, f), frame = (f) => (e) => { const x = this.frames.get(e.frameId); if (x) f(x, e); };
    on('Page.frameAttached', (e) => this.addFrame(e.frameId, e.parentFrameId, s));
    on('Page.frameDetached', (e) => { if (e.reason !== 'swap') this.removeFrame(this.frames.get(e.frameId)); });
    on('Page.frameNavigated', (e) => this.navigated(e.frame, s));
    on('Page.navigatedWithinDocument', frame((f, e) => f.navigatedWithin(e.url)));
    on('Page.lifecycleEvent', frame((f, e) => f.lifecycle(e)));
    on('Page.frameRequestedNavigation', frame((f, e) => { if (e.disposition === 'currentTab') f.expectNavigation(); }));
    on('Page.frameStoppedLoading', frame((f) => f.arrived()));
    on('Page.javascriptDialogOpening', (e) => s.tell('Page.handleJavaScriptDialog', { accept: e.type === 'beforeunload' }));
    on('Runtime.executionContextCreated', (e) => this.contextCreated(e.context, s));
    on('Runtime.executionContextDestroyed', (e) => this.eachFrame((f) => { if (f.session === s && f.world && f.world.id === e.executionContextId) f.world = null; }));
    on('Runtime.executionContextsCleared', () => this.eachFrame((f) => { if (f.session === s) f.world = null; }));
    on('Runtime.bindingCalled', (e) => { if (e.name === 'k6browserSendWebVitalMetric') this.vital(e.payload); });
    on('Runtime.consoleAPICalled', (e) => this.console(e, s));
    on('Inspector.targetCrashed', () => s.close('Target has crashed'));
    on('Target.attachedToTarget', (e) => this.attached(e, s));
    on('Target.detachedFromTarget', (e) => this.detached(e, s));
    this.network.listen(s);
  }
  *prepare() {
    const s = this.session, o = this.context_.options, ops = [];
    const send = (m, p) => ops.push(s.send(m, p));
    const rest = this.prepareSession(s);
    send('Emulation.setFocusEmulationEnabled', { enabled: true });
    if (this.viewport) ops.push(this.applyViewport());
    if (o.geolocation) ops.push(this.applyGeolocation());
    send('Runtime.runIfWaitingForDebugger');
    yield allOf([...rest, ...ops]);
  }
  prepareSession(s) {
    const o = this.context_.options, ops = [];
    const send = (m, p) => ops.push(s.send(m, p));
    this.sessions.add(s);
    this.listen(s);
    send('Page.enable');
    const tree = s.send('Page.getFrameTree');
    ops.push(tree);
    tree.then((op) => { if (!op.error) this.addTree(op.value.frameTree, s); });
    send('Page.setLifecycleEventsEnabled', { enabled: true });
    send('Runtime.enable');
    send('Inspector.enable');
    send('Network.enable');
    send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true,
      filter: [{ type: 'worker' }, { type: 'iframe' }, { exclude: true }] });
    send('Runtime.addBinding', { name: 'k6browserSendWebVitalMetric' });
    const init = (source) => send('Page.addScriptToEvaluateOnNewDocument', { source });
    init(vitalsSource());
    init(`window.k6 = { testRunId: ${quote(native.env('K6_CLOUD_PUSH_REF_ID') || '')} }`);
    for (const source of this.context_.scripts) init(source);
    if (o.userAgent || o.locale) send('Emulation.setUserAgentOverride',
      { userAgent: o.userAgent || this.context_.browser_.userAgent(), acceptLanguage: o.locale });
    // A popup shares its opener's process, which may have these already.
    if (o.locale) ops.push(tolerated(s.send('Emulation.setLocaleOverride', { locale: o.locale }), /already in effect/));
    if (o.timezoneID) ops.push(tolerated(s.send('Emulation.setTimezoneOverride', { timezoneId: o.timezoneID }), /already in effect/));
    if (o.javaScriptEnabled === false) send('Emulation.setScriptExecutionDisabled', { value: true });
    if (o.bypassCSP) send('Page.setBypassCSP', { enabled: true });
    if (o.ignoreHTTPSErrors) send('Security.setIgnoreCertificateErrors', { ignore: true });
    if (o.hasTouch) send('Emulation.setTouchEmulationEnabled', { enabled: true });
    ops.push(this.applyMedia(s), ...this.network.prepare(s));
    return ops;
  }
  // ---- frames
  eachFrame(f) { for (const x of this.frames.values()) f(x); }
  addFrame(id, parentId, session) {
    let f = this.frames.get(id);
    if (f) {
      // It may have come home from a process of its own.
      if (session && f.session !== session) this.moveFrame(f, session);
      return f;
    }
    f = new Frame(this, id, parentId ? this.frames.get(parentId) || null : null, session);
    this.frames.set(id, f);
    if (!f.parent && !this.main) this.main = f;
    return f;
  }
  moveFrame(f, session) {
    for (const c of f.children()) this.removeFrame(c);
    f.session = session;
    f.world = null;
    f.notify();
  }
  addTree(tree, session) {
    const f = this.addFrame(tree.frame.id, tree.frame.parentId, session);
    if (!f.loaderId) f.take(tree.frame);
    for (const c of tree.childFrames || []) this.addTree(c, session);
  }
  removeFrame(f) {
    if (!f) return;
    for (const c of f.children()) this.removeFrame(c);
    f.isDetached_ = true;
    this.frames.delete(f.id);
    f.notify();
  }
  navigated(info, session) {
    const f = this.addFrame(info.id, info.parentId, session);
    for (const c of f.children()) this.removeFrame(c);
    f.take(info);
    f.notify();
  }
  contextCreated(c, session) {
    const a = c.auxData;
    if (!a || !a.isDefault) return;
    const f = this.frames.get(a.frameId);
    if (!f || f.session !== session) {
      this.earlyWorlds.set(a.frameId, { id: c.id, session });
      return;
    }
    f.world = { id: c.id, injected: null };
    f.notify();
  }
  // A frame or worker in a process of its own.
  attached({ sessionId, targetInfo }, from) {
    const session = new Session(from.connection, sessionId);
    if (targetInfo.type === 'worker') {
      this.workers_.push(new Worker(sessionId, targetInfo.url));
      this.network.listen(session);
      session.tell('Network.enable');
    } else if (targetInfo.type === 'iframe') {
      const f = this.frames.get(targetInfo.targetId);
      if (f) {
        this.moveFrame(f, session);
        allOf(this.prepareSession(session)).then(() => {});
      }
    }
    session.tell('Runtime.runIfWaitingForDebugger');
  }
  detached({ sessionId }, from) {
    const session = from.connection.sessions.get(sessionId);
    this.workers_ = this.workers_.filter((w) => w.sessionId !== sessionId);
    if (!session) return;
    session.close('target closed');
    this.sessions.delete(session);
    this.eachFrame((f) => { if (f.session === session) this.moveFrame(f, from); });
  }
  closed(why) {
    this.isClosed_ = true;
    const i = this.context_.pages_.indexOf(this);
    if (i >= 0) this.context_.pages_.splice(i, 1);
    this.gone.resolve();
    // A turn later: who closes the page comes first, and may have something to say that matters more.
    const waiting = this.watchers.splice(0);
    if (waiting.length) after(0, () => { for (const w of waiting) w.op.reject(new Error(why)); });
    for (const s of this.sessions) s.close(why);
    this.eachFrame((f) => { f.isDetached_ = true; f.notify(); });
  }
  // ---- events
  callback(f, impl) { callHandler(f, currentFace.wrap(impl)); }
  emit(event, impl) {
    for (const w of [...this.watchers]) {
      if (w.event !== event) continue;
      try {
        if (w.predicate(impl)) w.op.resolve(impl);
      } catch (e) {
        w.op.reject(e);
      }
    }
    for (const l of this.listeners)
      if (l.event === event) this.callback(l.f, impl);
  }
  on(event, f) {
    if (typeof f !== 'function') throw { isScripts: true, value: new TypeError('The "listener" argument must be a function') };
    if (!EVENTS.includes(event)) throw new Error(`unknown page on event: ${quote(event)}`);
    this.listeners.push({ event, f });
  }
  metricName(url, method) {
    const metric = new MetricMessage(url, method);
    for (const l of this.listeners) if (l.event === 'metric') this.callback(l.f, metric);
    return metric.name;
  }
  *watch(event, predicate, ms, makeError) {
    const w = { event, predicate, op: new Op() };
    this.watchers.push(w);
    try {
      return yield limited(w.op, ms, makeError);
    } finally {
      const i = this.watchers.indexOf(w);
      if (i >= 0) this.watchers.splice(i, 1);
    }
  }
  *waitForEvent(event, optionsOrPredicate) {
    if (!EVENTS.includes(event) || event === 'metric') throw new Error(`waitForEvent does not support mapping for event: ${quote(event)}`);
    const o = waitOptions(optionsOrPredicate, 'parsing waitForEvent options', (k) => `waitForEvent does not support option: '${k}'`,
      'predicate must be a function');
    const test = o.predicate ? (impl) => callScript(o.predicate, currentFace.wrap(impl)) : () => true;
    const what = `waiting for page event ${quote(event)}`;
    return yield* this.waitFor(event, test, o, `${what}: ${what}`);
  }
  *waitFor(event, test, o, what) {
    const ms = o && o.timeout !== undefined ? Number(o.timeout) : this.timeout();
    return yield* this.watch(event, test, ms, () => new Error(`${what}: waiting for page ${event} event: timed out after ${goDuration(ms)}`));
  }
  *waitForURLOf(event, member, pattern, options) {
    if (pattern === undefined || pattern === null) throw new Error("missing required argument 'url'");
    for (const k of Object.keys(options || {})) if (k !== 'timeout') throw new Error(`parsing ${member} options: unsupported ${member} option: '${k}'`);
    const match = matcher(pattern);
    return yield* this.waitFor(event, (impl) => match(impl.url()), options, `waiting for ${event}`);
  }
  *waitForRequest(pattern, options) { return yield* this.waitForURLOf('request', 'waitForRequest', pattern, options); }
  *waitForResponse(pattern, options) { return yield* this.waitForURLOf('response', 'waitForResponse', pattern, options); }
  console(e, session) {
    const texts = e.args.map((a) => a.value !== undefined ? (typeof a.value === 'object' ? JSON.stringify(a.value) : String(a.value))
      : a.unserializableValue || a.description || a.type);
    const text = texts.join(' ');
    const old = { log: 'info', info: 'info', error: 'error', warning: 'warning' };
    native.log((native.info().isV051 && old[e.type]) || 'debug', text, 'console-api');
    if (this.listeners.some((l) => l.event === 'console') || this.watchers.some((w) => w.event === 'console')) {
      const frame = [...this.frames.values()].find((f) => f.session === session && f.world && f.world.id === e.executionContextId) || this.main;
      this.emit('console', new ConsoleMessage(this, e.type, text, e.args.map((a) => newHandle(frame, a))));
    }
  }
  vital(payload) {
    let m;
    try { m = JSON.parse(payload); } catch (_) { return; }
    const name = String(m.name).toLowerCase();
    if (!['fcp', 'lcp', 'cls', 'inp', 'ttfb', 'fid'].includes(name) || typeof m.value !== 'number') return;
    const tags = [];
    this.network.urlTag(tags, String(m.url), 'GET');
    tags.push('rating', String(m.rating));
    native.sample(`browser_web_vital_${name}`, m.value, tags);
  }
  *flushVitals() {
    if (!this.main || this.isClosed_) return;
    const flush = '(() => { window.dispatchEvent(new Event("pagehide")); })()';
    try {
      yield limited(this.session.send('Runtime.evaluate', { expression: flush }), 1000);
    } catch (_) { /* a page that is gone or hangs has no more to tell */ }
  }
  // ---- emulation
  applyViewport() {
    const o = this.context_.options, v = this.viewport;
    return this.session.send('Emulation.setDeviceMetricsOverride', { width: v.width, height: v.height, mobile: !!o.isMobile,
      deviceScaleFactor: o.deviceScaleFactor, screenWidth: (o.screen || v).width, screenHeight: (o.screen || v).height });
  }
  applyGeolocation() {
    const g = this.context_.options.geolocation;
    if (!g) return this.session.send('Emulation.clearGeolocationOverride');
    return this.session.send('Emulation.setGeolocationOverride', { latitude: g.latitude, longitude: g.longitude, accuracy: g.accuracy || 0 });
  }
  applyMedia(session) {
    const m = this.media;
    return this.network.send(session, 'Emulation.setEmulatedMedia', { media: m.media || '', features: [
      { name: 'prefers-color-scheme', value: m.colorScheme || '' }, { name: 'prefers-reduced-motion', value: m.reducedMotion || '' }] });
  }
  *emulateMedia(o) {
    for (const k of ['media', 'colorScheme', 'reducedMotion']) if (o && o[k] !== undefined) this.media[k] = o[k];
    yield this.applyMedia();
  }
  *emulateVisionDeficiency(type) {
    const known = ['achromatopsia', 'blurredVision', 'deuteranopia', 'none', 'protanopia', 'tritanopia'];
    if (!known.includes(type)) throw new Error(`unsupported vision deficiency: ${type}`);
    yield this.session.send('Emulation.setEmulatedVisionDeficiency', { type });
  }
  *setViewportSize(size) {
    this.viewport = { width: size.width, height: size.height };
    yield this.applyViewport();
  }
  viewportSize() { return this.viewport ? { ...this.viewport } : null; }
  *setExtraHTTPHeaders(headers) {
    this.extraHeaders = headers || {};
    yield this.network.applyHeaders();
  }
  *throttleCPU(o) { yield this.session.send('Emulation.setCPUThrottlingRate', { rate: Number(o.rate) }); }
  *throttleNetwork(o) {
    this.network.profile = { latency: o.latency, download: o.download, upload: o.upload };
    yield this.network.applyConditions();
  }
  // ---- routes
  *route(pattern, handler) {
    const matches = matcher(pattern);
    this.network.routes.push({ pattern, matches, handler });
    yield this.network.update();
  }
  *unroute(pattern) {
    this.network.routes = this.network.routes.filter((r) => String(r.pattern) !== String(pattern));
    yield this.network.update();
  }
  *unrouteAll() {
    this.network.routes = [];
    yield this.network.update();
  }
  // ---- life and navigation
  context() { return this.context_; }
  mainFrame() { return this.main; }
  framesList() { return [...this.frames.values()]; }
  workers() { return this.workers_; }
  isClosed() { return this.isClosed_; }
  *opener() {
    for (const p of this.context_.browser_.pages.values()) if (p.targetId === this.openerId) return p;
    return null;
  }
  *bringToFront() { yield this.session.send('Page.bringToFront'); }
  *close() {
    if (this.isClosed_) return;
    yield* this.flushVitals();
    try {
      yield this.context_.browser_.root.send('Target.closeTarget', { targetId: this.targetId });
      yield limited(this.gone, this.context_.timeout());
    } catch (e) {
      if (!this.isClosed_) throw new Error(`closing a page: ${e.message}`);
    }
  }
  setDefaultTimeout(ms) { this.defaultTimeout = Number(ms); }
  setDefaultNavigationTimeout(ms) { this.defaultNavigationTimeout = Number(ms); }
  timeout(o) {
    if (o && o.timeout !== undefined && o.timeout !== null) return Number(o.timeout);
    return this.defaultTimeout !== undefined ? this.defaultTimeout : this.context_.timeout();
  }
  navigationTimeout(o) {
    if (o && o.timeout !== undefined && o.timeout !== null) return Number(o.timeout);
    return this.defaultNavigationTimeout !== undefined ? this.defaultNavigationTimeout
      : this.defaultTimeout !== undefined ? this.defaultTimeout : this.context_.navigationTimeout();
  }
  *goto(url, o) {
    try {
      return yield* this.main.goto(url, o);
    } catch (e) {
      throw new Error(`navigating page: ${e.message}`);
    }
  }
  *title() {
    try {
      return yield* this.main.inPageRetried('() => document.title', [], 'value', this.timeout());
    } catch (e) {
      throw new Error(`getting page title: ${e.message}`);
    }
  }
  *reload(o) {
    const ms = this.navigationTimeout(o), f = this.main, done = spawn(f.nextNavigation(lifecycleName(o && o.waitUntil, 'load'), () => true, ms));
    try {
      yield this.session.send('Page.reload');
      return yield done;
    } catch (e) {
      throw new Error(`reloading page: ${e.message}`);
    }
  }
  *history(by, word, o) {
    const h = yield this.session.send('Page.getNavigationHistory');
    const entry = h.entries[h.currentIndex + by];
    if (!entry) return null;
    const ms = this.navigationTimeout(o), done = spawn(this.main.nextNavigation(lifecycleName(o && o.waitUntil, 'load'), () => true, ms));
    try {
      yield this.session.send('Page.navigateToHistoryEntry', { entryId: entry.id });
      return yield done;
    } catch (e) {
      throw new Error(`page going ${word}: ${e.message}`);
    }
  }
  *goBack(o) { return yield* this.history(-1, 'back', o); }
  *goForward(o) { return yield* this.history(1, 'forward', o); }
  *screenshot(o) {
    try {
      return yield* capture(this, o || {}, null);
    } catch (e) {
      throw new Error(`taking screenshot of page: ${e.message}`);
    }
  }
  *waitForTimeout(ms) { yield delay(Number(ms)); }
}

class Worker {
  constructor(sessionId, url) { this.sessionId = sessionId; this.url_ = url; }
  url() { return this.url_; }
}
class ConsoleMessage {
  constructor(page, type, text, args) { this.page_ = page; this.type_ = type; this.text_ = text; this.args_ = args; }
  args() { return this.args_; }
  page() { return this.page_; }
  text() { return this.text_; }
  type() { return this.type_; }
}
const HTTP_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE'];
class MetricMessage {
  constructor(url, method) { this.url = url; this.method = method; this.name = url; }
  tag(o) {
    const name = o && o.name !== undefined ? String(o.name).trim() : '';
    if (!name) throw new Error(`name ${quote(o && o.name !== undefined ? o.name : '')} is invalid`);
    for (const m of (o && o.matches) || []) {
      const method = m.method === undefined ? '' : String(m.method).trim().toUpperCase();
      if (method && !HTTP_METHODS.includes(method)) throw new Error(`method ${quote(m.method)} is invalid`);
      if (method && method !== this.method || !matcher(m.url)(this.url)) continue;
      this.name = name;
      return;
    }
  }
}

function vitalsSource() {
  const names = ['CLS', 'LCP', 'FCP', 'INP', 'TTFB'];
  if (native.info().isV051 || envBool('K6_BROWSER_WEB_VITAL_FID', false)) names.push('FID');
  return `(() => { if (window !== window.top) return; ${native.asset('web-vitals')};
const tell = (m) => { const f = window.k6browserSendWebVitalMetric;
  if (f) f(JSON.stringify({ id: m.id, name: m.name, value: m.value, rating: m.rating, url: window.location.href })); };
${names.map((n) => `webVitals.on${n}(tell);`).join(' ')} })()`;
}

