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
    this.targetId = info.targetId;
    this.openerId = info.openerId;
    this.frames_ = this.frames = new Map();
    this.main = null;
    this.isClosed_ = false;
    this.listeners = [];
    this.watchers = []; // internal: { event, predicate, op }
    this.downloads = [];
    this.workers_ = [];
    this.metricRules = null;
    this.extraHeaders = {};
    const v = context.options.viewport;
    this.viewport = v ? { width: v.width, height: v.height } : null;
    this.media = { media: '', colorScheme: context.options.colorScheme, reducedMotion: context.options.reducedMotion };
    this.network = new Network(this);
    this.keyboard = new Keyboard(this);
    this.mouse = new Mouse(this);
    this.touchscreen = new Touchscreen(this);
    this.frameWaiters = [];
  }
  *prepare() {
    const s = this.session, o = this.context_.options, on = (m, f) => s.on(m, f);
    on('Page.frameAttached', (e) => this.addFrame(e.frameId, e.parentFrameId));
    on('Page.frameDetached', (e) => { if (e.reason !== 'swap') this.removeFrame(this.frames.get(e.frameId)); });
    on('Page.frameNavigated', (e) => this.navigated(e.frame));
    on('Page.navigatedWithinDocument', (e) => this.withFrame(e.frameId, (f) => f.navigatedWithin(e.url)));
    on('Page.lifecycleEvent', (e) => this.withFrame(e.frameId, (f) => f.lifecycle(e)));
    on('Page.frameRequestedNavigation', (e) => this.withFrame(e.frameId, (f) => { if (e.disposition === 'currentTab') f.expectNavigation(); }));
    on('Page.frameStoppedLoading', (e) => this.withFrame(e.frameId, (f) => f.arrived()));
    on('Page.frameStartedLoading', () => {});
    on('Page.javascriptDialogOpening', (e) => s.tell('Page.handleJavaScriptDialog', { accept: e.type === 'beforeunload' }));
    on('Runtime.executionContextCreated', (e) => this.contextCreated(e.context));
    on('Runtime.executionContextDestroyed', (e) => this.eachFrame((f) => { if (f.world && f.world.id === e.executionContextId) f.world = null; }));
    on('Runtime.executionContextsCleared', () => this.eachFrame((f) => { f.world = null; }));
    on('Runtime.bindingCalled', (e) => { if (e.name === 'k6browserSendWebVitalMetric') this.vital(e.payload); });
    on('Runtime.consoleAPICalled', (e) => this.console(e));
    on('Target.attachedToTarget', (e) => this.workerAttached(e));
    on('Target.detachedFromTarget', (e) => { this.workers_ = this.workers_.filter((w) => w.sessionId !== e.sessionId); });
    const ops = [];
    const send = (m, p) => ops.push(s.send(m, p));
    send('Page.enable');
    const tree = s.send('Page.getFrameTree');
    ops.push(tree);
    tree.then((op) => { if (!op.error) this.addTree(op.value.frameTree); });
    send('Page.setLifecycleEventsEnabled', { enabled: true });
    send('Runtime.enable');
    send('Network.enable');
    send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true,
      filter: [{ type: 'worker' }, { exclude: true }] });
    send('Runtime.addBinding', { name: 'k6browserSendWebVitalMetric' });
    send('Emulation.setFocusEmulationEnabled', { enabled: true });
    const init = (source) => send('Page.addScriptToEvaluateOnNewDocument', { source });
    init(vitalsSource());
    for (const source of this.context_.scripts) init(source);
    if (this.viewport) ops.push(this.applyViewport());
    if (o.userAgent || o.locale) ops.push(s.send('Emulation.setUserAgentOverride',
      { userAgent: o.userAgent || theBrowser.info.userAgent.replace('Headless', ''), acceptLanguage: o.locale }));
    if (o.locale) send('Emulation.setLocaleOverride', { locale: o.locale });
    if (o.timezoneID) send('Emulation.setTimezoneOverride', { timezoneId: o.timezoneID });
    if (o.javaScriptEnabled === false) send('Emulation.setScriptExecutionDisabled', { value: true });
    if (o.bypassCSP) send('Page.setBypassCSP', { enabled: true });
    if (o.ignoreHTTPSErrors) send('Security.setIgnoreCertificateErrors', { ignore: true });
    if (o.hasTouch) send('Emulation.setTouchEmulationEnabled', { enabled: true });
    if (o.geolocation) ops.push(this.applyGeolocation());
    ops.push(this.applyMedia());
    if (Object.keys(o.extraHTTPHeaders).length) ops.push(this.network.applyHeaders());
    if (o.offline) ops.push(this.network.applyConditions());
    if (this.network.wantsFetch()) ops.push(this.network.update());
    send('Runtime.runIfWaitingForDebugger');
    yield allOf(ops);
  }
  // ---- frames
  withFrame(id, f) { const frame = this.frames.get(id); if (frame) f(frame); }
  eachFrame(f) { for (const x of this.frames.values()) f(x); }
  addFrame(id, parentId) {
    let f = this.frames.get(id);
    if (f) return f;
    f = new Frame(this, id, parentId ? this.frames.get(parentId) : null);
    this.frames.set(id, f);
    if (!f.parent) this.main = f;
    return f;
  }
  addTree(tree) {
    const f = this.addFrame(tree.frame.id, tree.frame.parentId);
    if (!f.loaderId) f.take(tree.frame);
    for (const c of tree.childFrames || []) this.addTree(c);
  }
  removeFrame(f) {
    if (!f) return;
    for (const c of f.children()) this.removeFrame(c);
    f.isDetached_ = true;
    this.frames.delete(f.id);
    f.notify();
  }
  navigated(info) {
    const f = this.addFrame(info.id, info.parentId);
    for (const c of f.children()) this.removeFrame(c);
    f.take(info);
    f.notify();
  }
  contextCreated(c) {
    const a = c.auxData;
    if (!a || !a.isDefault) return;
    const f = this.addFrame(a.frameId, null);
    f.world = { id: c.id, injected: null };
    f.notify();
  }
  closed(why) {
    this.isClosed_ = true;
    const i = this.context_.pages_.indexOf(this);
    if (i >= 0) this.context_.pages_.splice(i, 1);
    for (const w of this.watchers.splice(0)) w.op.reject(new Error(why));
    this.eachFrame((f) => { f.isDetached_ = true; f.notify(); });
  }
  workerAttached(e) {
    if (e.targetInfo.type === 'worker') this.workers_.push(new Worker(e.sessionId, e.targetInfo.url));
    else this.session.tell('Target.detachFromTarget', { sessionId: e.sessionId });
  }
  // ---- events
  callback(f, impl) {
    const r = callScript(f, currentFace.wrap(impl));
    return r;
  }
  emit(event, impl) {
    for (const w of [...this.watchers])
      if (w.event === event && w.predicate(impl)) w.op.resolve(impl);
    for (const l of this.listeners)
      if (l.event === event) this.callback(l.f, impl);
  }
  on(event, f) {
    if (!EVENTS.includes(event)) throw new Error(`unknown page on event: ${quote(event)}`);
    if (typeof f !== 'function') throw new Error(`the handler of page.on(${quote(event)}) must be a function`);
    if (event === 'metric') this.metricRules = this.metricRules || [];
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
    if (!EVENTS.includes(event)) throw new Error(`unknown page on event: ${quote(event)}`);
    const o = typeof optionsOrPredicate === 'function' ? { predicate: optionsOrPredicate } : optionsOrPredicate || {};
    const ms = o.timeout !== undefined ? o.timeout : this.context_.timeout();
    const test = o.predicate ? (impl) => callScript(o.predicate, currentFace.wrap(impl)) : () => true;
    return yield* this.watch(event, test, ms, () => new Error(`waiting for page ${event} event: timed out after ${goDuration(ms)}`));
  }
  *waitForURLOf(event, pattern, options, what) {
    const ms = options && options.timeout !== undefined ? options.timeout : this.context_.timeout();
    const match = matcher(pattern);
    return yield* this.watch(event, (impl) => match(impl.url()), ms,
      () => new Error(`waiting for ${what} ${quote(pattern)}: timed out after ${goDuration(ms)}`));
  }
  *waitForRequest(pattern, options) { return yield* this.waitForURLOf('request', pattern, options, 'request'); }
  *waitForResponse(pattern, options) { return yield* this.waitForURLOf('response', pattern, options, 'response'); }
  console(e) {
    const texts = e.args.map((a) => a.value !== undefined ? (typeof a.value === 'object' ? JSON.stringify(a.value) : String(a.value))
      : a.unserializableValue || a.description || a.type);
    const text = texts.join(' ');
    const level = { error: 'error', assert: 'error', warning: 'warning', debug: 'debug' }[e.type] || 'info';
    if (level !== 'info' && level !== 'debug' || this.context_.options.logsConsole) native.log(level, text, 'console-api');
    else native.log('debug', text, 'console-api');
    if (this.listeners.some((l) => l.event === 'console') || this.watchers.some((w) => w.event === 'console')) {
      const frame = [...this.frames.values()].find((f) => f.world && f.world.id === e.executionContextId) || this.main;
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
  applyMedia() {
    const m = this.media;
    return this.session.send('Emulation.setEmulatedMedia', { media: m.media || '', features: [
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
    const gone = new Op();
    this.watchers.push({ event: 'closed', predicate: () => false, op: gone });
    try {
      yield this.context_.browser_.root.send('Target.closeTarget', { targetId: this.targetId });
      yield limited(gone, this.context_.timeout());
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
  *screenshot(o) { return yield* capture(this, o || {}, null); }
  *waitForTimeout(ms) { yield delay(Number(ms)); }
}

class Worker {
  constructor(sessionId, url) { this.sessionId = sessionId; this.url_ = url; }
  url() { return this.url_; }
}
class ConsoleMessage {
  constructor(page, type, text, args) { this.page_ = page; this.type_ = type; this.text_ = text; this.args_ = args; }
  *args() { return this.args_; }
  page() { return this.page_; }
  text() { return this.text_; }
  type() { return this.type_; }
}
class MetricMessage {
  constructor(url, method) { this.url = url; this.method = method; this.name = url; this.isTagged = false; }
  tag(o) {
    if (!o || !o.name || !String(o.name).trim()) throw new Error(`name ${quote(o && o.name || '')} is invalid`);
    if (!Array.isArray(o.matches) || !o.matches.length) throw new Error('matches is a required property');
    if (this.isTagged) return;
    for (const m of o.matches)
      if ((!m.method || String(m.method).toUpperCase() === this.method) && matcher(m.url)(this.url)) {
        this.isTagged = true;
        this.name = String(o.name);
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

