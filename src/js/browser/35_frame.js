// ---- 35 frames
class Frame {
  constructor(page, id, parent, session) {
    this.page_ = page;
    this.session = session;
    this.id = id;
    this.parent = parent;
    this.url_ = '';
    this.name_ = '';
    this.loaderId = '';
    this.states = new Set();
    const early = page.earlyWorlds.get(id);
    page.earlyWorlds.delete(id);
    this.world = early && early.session === session ? { id: early.id, injected: null } : null;
    this.isDetached_ = false;
    this.isGoing = false;
    this.waiters = [];
    this.generation = 0;
  }
  // Anything about the frame may have changed: those who wait look again.
  notify() { for (const w of this.waiters.splice(0)) w.resolve(); }
  changed() {
    const op = new Op();
    this.waiters.push(op);
    return op;
  }
  *until(test, ms, makeError) {
    const end = ms > 0 ? native.now() + ms : Infinity;
    for (;;) {
      const v = test();
      if (v) return v;
      if (this.isDetached_ || this.page_.isClosed_) throw new Error(this.page_.isClosed_ ? 'target closed' : 'frame detached');
      const left = end - native.now();
      if (left <= 0) throw makeError ? makeError() : new TimeoutError(ms);
      yield limited(this.changed(), left, () => makeError ? makeError() : new TimeoutError(ms));
    }
  }
  take(info) {
    this.url_ = info.url + (info.urlFragment || '');
    this.name_ = info.name || '';
    this.loaderId = info.loaderId;
    this.isGoing = false;
    this.generation++;
  }
  navigatedWithin(url) {
    this.url_ = url;
    this.isGoing = false;
    this.generation++;
    this.sameDocument = this.generation;
    this.notify();
  }
  lifecycle(e) {
    if (e.name === 'init') {
      this.states = new Set();
      this.statesOf = e.loaderId;
    }
    this.states.add(e.name);
    this.statesOf = e.loaderId;
    this.notify();
  }
  expectNavigation() { this.isGoing = true; }
  arrived() { this.isGoing = false; this.notify(); }
  has(state) {
    // A page that was made by the browser has no lifecycle of its own before it navigates.
    return this.states.has(state) && (this.statesOf === this.loaderId || !this.loaderId);
  }

  children() { return [...this.page_.frames.values()].filter((f) => f.parent === this); }
  childFrames() { return this.children(); }
  page() { return this.page_; }
  parentFrame() { return this.parent; }
  name() { return this.name_; }
  url() { return this.url_; }
  isDetached() { return this.isDetached_; }

  // ---- evaluation
  *worldReady(ms) {
    return yield* this.until(() => this.world, ms || 30000);
  }
  *injected(ms) {
    const world = yield* this.worldReady(ms);
    if (!world.injected) {
      const op = world.injected = new Op();
      const expression = `(() => { const module = {}; ${native.asset('injected')}
return new (module.exports.InjectedScript())(globalThis, false, 'javascript', 'data-testid', 1, 'chromium', []); })()`;
      this.session.send('Runtime.evaluate', { expression, contextId: world.id }).then((o) => {
        if (o.error) op.reject(o.error);
        else if (o.value.exceptionDetails) op.reject(exceptionError(o.value.exceptionDetails));
        else op.resolve(o.value.result.objectId);
      });
    }
    const objectId = yield world.injected;
    return { world, objectId };
  }
  // Calls a function of our own with the injected script as first argument; kind: 'value' or 'handle'.
  *inPage(f, args, kind, ms) {
    const { world, objectId } = yield* this.injected(ms);
    const r = yield this.session.send('Runtime.callFunctionOn', { functionDeclaration: f, executionContextId: world.id,
      arguments: [{ objectId }, ...args.map(toArgument)], awaitPromise: true, returnByValue: kind === 'value', userGesture: true });
    if (r.exceptionDetails) throw exceptionError(r.exceptionDetails);
    return kind === 'value' ? fromRemote(r.result) : r.result;
  }
  // The same again in the document that follows, when this one goes away meanwhile.
  *inPageRetried(f, args, kind, ms) {
    const end = native.now() + (ms > 0 ? ms : 3600000);
    for (;;) {
      const left = Math.max(1, end - native.now());
      try {
        return yield limited(spawn(this.inPage(f, args.map((a) => a === LEFT ? left : a), kind, left)), left + 500, () => new TimeoutError(ms));
      } catch (e) {
        if (!NAVIGATED_AWAY.test(e.message) || this.isDetached_ || native.now() >= end) throw e;
        yield delay(10);
      }
    }
  }
  *call(script, args, byValue) {
    const world = yield* this.worldReady(this.page_.timeout());
    return yield* callOn(this, { executionContextId: world.id }, script, args, byValue);
  }
  *evaluate(script, ...args) {
    if (script === undefined || script === null) throw new Error('evaluate requires a page function');
    try {
      return yield* this.call(script, args, true);
    } catch (e) {
      throw evaluateError(e, 'evaluating JS');
    }
  }
  *evaluateHandle(script, ...args) {
    if (script === undefined || script === null) throw new Error('evaluateHandle requires a page function');
    try {
      return yield* this.call(script, args, false);
    } catch (e) {
      throw evaluateError(e, 'evaluating handle for frame');
    }
  }
  *content() {
    return yield* this.named('getting frame content', `() => (document.doctype ? new XMLSerializer().serializeToString(document.doctype) : '') +
      (document.documentElement ? document.documentElement.outerHTML : '')`);
  }
  *title() { return yield* this.named('getting frame title', '() => document.title'); }
  *named(what, f) {
    try {
      return yield* this.inPageRetried(f, [], 'value', this.page_.timeout());
    } catch (e) {
      throw new Error(`${what}: ${e.message}`);
    }
  }
  *setContent(html, o) {
    const ms = this.page_.navigationTimeout(o), state = lifecycleName(o && o.waitUntil, 'load');
    yield* this.worldReady(ms);
    this.states = new Set();
    try {
      yield* this.inPage(`(injected, html) => { window.stop(); document.open(); document.write(html); document.close(); }`, [html], 'value', ms);
      yield* this.until(() => this.states.has(state), ms);
    } catch (e) {
      throw new Error(`setting content: ${e.message}`);
    }
  }
  // ---- navigation
  *goto(url, o) {
    const page = this.page_, ms = page.navigationTimeout(o), state = lifecycleName(o && o.waitUntil, 'load');
    const fail = (e) => new Error(`navigating frame to ${quote(url)}: navigating to ${quote(url)}: ${e.message}`);
    const params = { url: String(url), frameId: this.id };
    if (o && o.referer) params.referrer = String(o.referer);
    const end = native.now() + ms;
    try {
      const r = yield limited(this.session.send('Page.navigate', params), ms);
      if (r.errorText) throw new Error(r.errorText);
      if (!r.loaderId) return null;
      yield* this.until(() => this.loaderId === r.loaderId && this.has(state), Math.max(1, end - native.now()), () => new TimeoutError(ms));
      return this.responseOf(r.loaderId);
    } catch (e) {
      throw fail(e);
    }
  }
  responseOf(loaderId) {
    const r = this.page_.network.navigations.get(loaderId);
    return r ? r.response_ : null;
  }
  *nextNavigation(state, matches, ms) {
    const from = this.generation;
    yield* this.until(() => this.generation !== from && matches(this.url_) && (this.sameDocument === this.generation || this.has(state)), ms);
    return this.responseOf(this.loaderId);
  }
  *waitForNavigation(o) {
    const ms = this.page_.navigationTimeout(o), matches = matcher(o && o.url);
    try {
      return yield* this.nextNavigation(lifecycleName(o && o.waitUntil, 'load'), matches, ms);
    } catch (e) {
      throw new Error(`waiting for navigation${o && o.url ? ` to URL matching ${quote(o.url)}` : ''}: ${e.message}`);
    }
  }
  *waitForURL(pattern, o) {
    if (pattern === undefined || pattern === null) throw new Error("missing required argument 'url'");
    const ms = this.page_.navigationTimeout(o), matches = matcher(pattern), state = lifecycleName(o && o.waitUntil, 'load');
    try {
      yield* this.until(() => matches(this.url_) && (this.has(state) || this.states.has(state)), ms);
    } catch (e) {
      throw new Error(`waiting for URL ${quote(pattern)}: ${e.message}`);
    }
  }
  *waitForLoadState(name, o) {
    const state = lifecycleName(name, 'load'), ms = this.page_.navigationTimeout(o);
    try {
      yield* this.until(() => this.has(state) || this.states.has(state), ms);
    } catch (e) {
      throw new Error(`waiting for load state ${quote(name || 'load')}: ${e.message}`);
    }
  }
  *waitForTimeout(ms) { yield delay(Number(ms)); }
  *waitForFunction(script, o, ...args) {
    const polling = o && o.polling !== undefined ? o.polling : 'raf', ms = this.page_.timeout(o);
    if (polling !== 'raf' && polling !== 'mutation' && !(Number(polling) > 0))
      throw new Error(`parsing waitForFunction options: wrong polling option value: ${quote(polling)}; possible values: "raf", "mutation" or number`);
    const source = functionSource(script);
    const f = `async (injected, polling, ms, ...args) => { const f = (${source}); const end = performance.now() + ms;
      for (;;) { const v = await f(...args); if (v) return v; if (performance.now() > end) return 'error:timeout';
        await new Promise((done) => polling === 'raf' ? injected.builtinRequestAnimationFrame(done)
          : injected.builtinSetTimeout(done, polling === 'mutation' ? 20 : polling)); } }`;
    let r;
    try {
      r = yield* this.inPageRetried(f, [polling, LEFT, ...args], 'handle', ms);
    } catch (e) {
      throw new Error(`waiting for function, polling: ${e.message}`);
    }
    if (r.value === 'error:timeout') throw new Error(`waiting for function, polling: timed out after ${goDuration(ms)}`);
    return newHandle(this, r);
  }
  // ---- selectors
  // The frame that a selector ends in, and the rest of it. ms undefined: null when that frame is not there now.
  *resolveFrame(selector, ms) {
    const parts = String(selector).split(/\s*>>\s*internal:control=enter-frame\s*>>\s*/);
    let frame = this;
    const end = native.now() + (ms > 0 ? ms : 3600000);
    for (let i = 0; i + 1 < parts.length; i++) {
      const el = ms === undefined ? yield* frame.queryIn(parts[i], null, true)
        : yield* frame.find(parts[i], { state: 'attached', strict: true }, Math.max(1, end - native.now()));
      if (!el) return null;
      const child = yield* el.contentFrame();
      if (!child) throw new Error('element is not an iframe');
      frame = child;
    }
    return { frame, selector: parts[parts.length - 1] };
  }
  // Waits for a state of what the selector finds; a handle, or null for states that have none.
  *find(selector, o, ms) {
    const at = yield* this.resolveFrame(selector, ms);
    const r = yield* at.frame.inPageRetried(FIND, [at.selector, !!o.strict, o.state, LEFT, o.root || null], 'handle', ms);
    if (typeof r.value === 'string') throw domError(r.value, ms);
    return r.objectId ? newHandle(at.frame, r) : null;
  }
  *query(selector, o) {
    const at = yield* this.resolveFrame(selector);
    return at && (yield* at.frame.queryIn(at.selector, null, !!(o && o.strict)));
  }
  *queryIn(selector, root, strict) {
    const r = yield* this.inPageRetried(`(injected, selector, strict, root) => {
      const p = injected.parseSelector(selector), all = injected.querySelectorAll(p, root || document);
      return strict && all.length > 1 ? 'error:strictmodeviolation' : all[0] || null; }`,
    [selector, strict, root], 'handle', this.page_.timeout());
    if (typeof r.value === 'string') throw domError(r.value);
    return r.objectId ? newHandle(this, r) : null;
  }
  *queryAllIn(selector, root) {
    const r = yield* this.inPageRetried(`(injected, selector, root) => injected.querySelectorAll(injected.parseSelector(selector), root || document)`,
      [selector, root], 'handle', this.page_.timeout());
    const list = newHandle(this, r);
    const props = yield* list.properties();
    list.release();
    return props.filter(([k]) => /^\d+$/.test(k)).map(([, h]) => h);
  }
  *$(selector, o) {
    try {
      return yield* this.query(selector, o);
    } catch (e) {
      throw new Error(`querying selector ${quote(selector)}: ${e.message}`);
    }
  }
  *$$(selector) {
    try {
      const at = yield* this.resolveFrame(selector);
      return at ? yield* at.frame.queryAllIn(at.selector, null) : [];
    } catch (e) {
      throw new Error(`querying selector ${quote(selector)}: ${e.message}`);
    }
  }
  *waitForSelector(selector, o) {
    const state = o && o.state !== undefined ? o.state : 'visible', ms = this.page_.timeout(o);
    if (!['attached', 'detached', 'visible', 'hidden'].includes(state)) throw new Error(`parsing wait for selector ${quote(selector)} options: ${quote(state)} is not a valid DOM state`);
    try {
      return yield* this.find(selector, { state, strict: o && o.strict }, ms);
    } catch (e) {
      throw new Error(`waiting for selector ${quote(selector)}: ${(e.isTimeout ? new TimeoutError(ms) : e).message}`);
    }
  }
  *frameElement() {
    if (!this.parent) throw new Error('getting frame element: frame is the main frame');
    const s = this.parent.session, { backendNodeId } = yield s.send('DOM.getFrameOwner', { frameId: this.id });
    const world = yield* this.parent.worldReady();
    const { object } = yield s.send('DOM.resolveNode', { backendNodeId, executionContextId: world.id });
    return newHandle(this.parent, object);
  }
  // Where the coordinates that this frame's process knows begin in the page.
  *origin() {
    let x = 0, y = 0;
    for (let f = this; f.parent; f = f.parent) {
      if (f.session === f.parent.session) continue;
      const s = f.parent.session, { backendNodeId } = yield s.send('DOM.getFrameOwner', { frameId: f.id });
      const { model } = yield s.send('DOM.getBoxModel', { backendNodeId });
      x += model.content[0];
      y += model.content[1];
    }
    return { x, y };
  }
  locator(selector, o) { return new Locator(this, filtered(String(selector), o)); }
  frameLocator(selector) { return new FrameLocator(this, String(selector)); }
}

const LEFT = { isLeft: true }; // stands for the time left, in ms, among arguments
const FIND = `async (injected, selector, strict, state, ms, root) => {
  const p = injected.parseSelector(selector), end = performance.now() + ms;
  for (;;) {
    const all = injected.querySelectorAll(p, root || document);
    if (strict && all.length > 1) return 'error:strictmodeviolation';
    const e = all[0] || null, seen = !!e && injected.elementState(e, 'visible') === true;
    if (state === 'attached' && e || state === 'visible' && seen) return e;
    if (state === 'detached' && !e || state === 'hidden' && !seen) return null;
    if (performance.now() > end) return 'error:timeout';
    await new Promise((done) => injected.builtinSetTimeout(done, 20));
  }
}`;

function functionSource(script) {
  const s = String(script).trim();
  if (typeof script === 'function') {
    // A method of an object literal: "name() { … }".
    return /^(async\s+)?(function\b|\(|[\w$]+\s*=>|class\b)/.test(s) ? s : `function ${s}`;
  }
  return /^(async\s+)?(function\b|\([^)]*\)\s*=>|[\w$]+\s*=>)/.test(s) ? s : `() => (${s.replace(/;\s*$/, '')})`;
}
function toArgument(v) {
  if (v && v.isHandle) {
    if (v.isDisposed) throw new Error('JS handle is disposed');
    return v.remote.objectId ? { objectId: v.remote.objectId } : v.remote.unserializableValue
      ? { unserializableValue: v.remote.unserializableValue } : { value: v.remote.value };
  }
  if (typeof v === 'bigint') return { unserializableValue: `${v}n` };
  if (typeof v === 'number' && (!isFinite(v) || Object.is(v, -0))) return { unserializableValue: Object.is(v, -0) ? '-0' : String(v) };
  return v === undefined ? {} : { value: v };
}
function fromRemote(r) {
  if (r.unserializableValue) {
    const u = r.unserializableValue;
    return u.endsWith('n') && u !== 'NaN' ? BigInt(u.slice(0, -1)) : Number(u);
  }
  if (r.subtype === 'null') return null;
  return r.value;
}
function exceptionError(d) {
  const e = d.exception;
  const text = e ? e.description || (e.value !== undefined ? (typeof e.value === 'string' ? e.value : JSON.stringify(e.value)) : d.text) : d.text;
  const first = String(text).replace(/^Error: /, '');
  return new Error(/^\s*at /m.test(text) ? text : first);
}
function evaluateError(e, what) {
  if (e && e.isScripts) return e;
  if (NAVIGATED_AWAY.test(e.message)) return new Error(`${what}: execution context changed; most likely because of a navigation`);
  return new Error(`${what}: ${e.message}`);
}
function* callOn(frame, where, script, args, byValue) {
  const r = yield frame.session.send('Runtime.callFunctionOn', { functionDeclaration: functionSource(script), ...where,
    arguments: args.map(toArgument), awaitPromise: true, returnByValue: byValue, userGesture: true });
  if (r.exceptionDetails) throw exceptionError(r.exceptionDetails);
  return byValue ? fromRemote(r.result) : newHandle(frame, r.result);
}
