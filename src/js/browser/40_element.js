// ---- 40 handles, and what is done to elements
const DOM_ERRORS = {
  'error:notconnected': 'element is not attached to the DOM',
  'error:strictmodeviolation': 'strict mode violation, multiple elements returned for selector query',
  'error:optionsnotfound': 'did not find some options',
  'error:notinput': 'node is not an HTMLInputElement or HTMLTextAreaElement or HTMLSelectElement',
  'error:notvisible': 'element is not visible',
  'error:notcheckbox': 'not a checkbox or radio button',
  'error:nothtmlelement': 'not an HTMLElement',
};
// What the injected script says, in k6's words.
const INJECTED_WORDS = [
  [/^Element is not an <input>, <textarea>.*/, 'element is not an <input>, <textarea> or [contenteditable] element'],
  [/^Input of type .* cannot be filled/, 'input of this type cannot be filled'],
  [/^Cannot type text into input\[type=number\]/, 'cannot type text into input[type=number]'],
  [/^Malformed value/, 'malformed value'],
  [/^Element is not a <select> element/, 'element is not a <select> element'],
  [/^Not a checkbox or radio button/, 'not a checkbox or radio button'],
  [/^Not an input\[type=file\] element|^Node is not an HTMLInputElement/, 'node is not an input[type=file] element'],
  [/^Non-multiple file input can only accept single file/, 'non-multiple file input can only accept single file'],
];
function inK6sWords(e) {
  if (!e || e.isScripts || e.message === undefined) return e;
  const first = e.message.split('\n')[0].replace(/^Error: /, '');
  const found = INJECTED_WORDS.find(([pattern]) => pattern.test(first));
  return found ? new Error(found[1]) : e;
}
function domError(code, ms) {
  if (code === 'error:timeout') return new TimeoutError(ms);
  const e = new Error(DOM_ERRORS[code] || code);
  e.isDetached = code === 'error:notconnected';
  return e;
}
function newHandle(frame, remote) {
  return remote.subtype === 'node' ? new ElementHandle(frame, remote) : new JSHandle(frame, remote);
}

class JSHandle {
  constructor(frame, remote) {
    this.frame_ = frame;
    this.remote = remote;
    this.isHandle = true;
    this.isDisposed = false;
  }
  get session() { return this.frame_.session; }
  *call(script, args, byValue) {
    return yield* callOn(this.frame_, this.remote.objectId ? { objectId: this.remote.objectId } : { executionContextId: this.frame_.world.id },
      script, [this, ...args], byValue);
  }
  *evaluate(script, ...args) {
    try {
      return yield* this.call(script, args, true);
    } catch (e) {
      throw evaluateError(e, 'evaluating element');
    }
  }
  *evaluateHandle(script, ...args) {
    try {
      return yield* this.call(script, args, false);
    } catch (e) {
      throw evaluateError(e, 'evaluating handle for element');
    }
  }
  asElement() { return this instanceof ElementHandle ? this : null; }
  release() {
    if (!this.isDisposed && this.remote.objectId) this.session.tell('Runtime.releaseObject', { objectId: this.remote.objectId });
    this.isDisposed = true;
  }
  *dispose() { this.release(); }
  *properties() {
    if (!this.remote.objectId) return [];
    const { result } = yield this.session.send('Runtime.getProperties', { objectId: this.remote.objectId, ownProperties: true });
    return result.filter((p) => p.enumerable && p.value).map((p) => [p.name, newHandle(this.frame_, p.value)]);
  }
  *getProperties() { return new Map(yield* this.properties()); }
  *jsonValue() { return this.remote.objectId ? yield* this.call('(v) => v', [], true) : fromRemote(this.remote); }
}

// What every selector method does to its element: ACTIONS[name] = { args, run(handle, args, options, ms) }.
// args: how many come before the options. The objects that have them: ElementHandle, Frame, Page, Locator.
const ACTIONS = {};

class ElementHandle extends JSHandle {
  // Our own function with the injected script and this element.
  *page(f, args, kind, ms) {
    const r = yield* this.frame_.inPage(f, [this, ...args], kind || 'value', ms);
    const code = kind === 'handle' ? r.value : r;
    if (typeof code === 'string' && DOM_ERRORS[code]) throw domError(code);
    return r;
  }
  *$(selector) { return yield* this.frame_.queryIn(String(selector), this, false); }
  *$$(selector) { return yield* this.frame_.queryAllIn(String(selector), this); }
  *contentFrame() {
    const { node } = yield this.session.send('DOM.describeNode', { objectId: this.remote.objectId });
    if (!node.frameId || !/^I?FRAME$/.test(node.nodeName)) return null;
    const page = this.frame_.page_;
    return page.frames.get(node.frameId) || page.addFrame(node.frameId, this.frame_.id, this.session);
  }
  *ownerFrame() { return this.frame_; }
  *waitForSelector(selector, o) {
    const state = o && o.state !== undefined ? o.state : 'visible', f = this.frame_;
    try {
      return yield* f.find(selector, { state, strict: o && o.strict, root: this }, f.page_.timeout(o));
    } catch (e) {
      throw new Error(`waiting for selector ${quote(selector)}: ${e.message}`);
    }
  }
  *waitForElementState(state, o) {
    const known = ['visible', 'hidden', 'stable', 'enabled', 'disabled', 'editable'];
    if (!known.includes(state)) throw new Error(`waiting for element state: ${quote(state)} is not a valid element state`);
    try {
      yield* waitStates(this, [state], this.frame_.page_.timeout(o));
    } catch (e) {
      throw new Error(`waiting for element state ${quote(state)}: ${e.message}`);
    }
  }
}

const STATES = `async (injected, e, states, ms) => {
  const end = performance.now() + ms;
  for (;;) {
    const r = await injected.checkElementStates(e, states);
    if (!r) return 'done';
    if (typeof r === 'string') return states.includes('hidden') ? 'done' : r;
    if (performance.now() > end) return 'error:timeout';
    await new Promise((done) => injected.builtinSetTimeout(done, 20));
  }
}`;
function* waitStates(h, states, ms) {
  const r = yield* h.page(STATES, [states, ms > 0 ? ms : 3600000], 'value', ms);
  if (r === 'error:timeout') throw new TimeoutError(ms);
}

// ---- pointing
// A point of the element, in the page (x, y) and from the corner of its box (dx, dy).
function* clickPoint(h, o) {
  const s = h.session, objectId = h.remote.objectId;
  yield s.send('DOM.scrollIntoViewIfNeeded', { objectId });
  const { quads } = yield s.send('DOM.getContentQuads', { objectId });
  const area = (q) => {
    let a = 0;
    for (let i = 0; i < 4; i++) a += q[i * 2] * q[(i * 2 + 3) % 8] - q[(i * 2 + 2) % 8] * q[i * 2 + 1];
    return Math.abs(a / 2);
  };
  const q = quads.find((x) => area(x) > 0.99);
  if (!q) throw domError('error:notvisible');
  const xs = [q[0], q[2], q[4], q[6]], ys = [q[1], q[3], q[5], q[7]], sum = (list) => list.reduce((a, b) => a + b);
  const dx = o.position ? Number(o.position.x) : sum(xs) / 4 - Math.min(...xs);
  const dy = o.position ? Number(o.position.y) : sum(ys) / 4 - Math.min(...ys);
  const from = yield* h.frame_.origin();
  return { x: from.x + Math.min(...xs) + dx, y: from.y + Math.min(...ys) + dy, dx, dy };
}
const HIT = `(injected, e, dx, dy) => { const el = injected.retarget(e, 'button-link'); if (!el || !el.isConnected) return 'error:notconnected';
  const b = e.getBoundingClientRect(), x = b.left + dx, y = b.top + dy, r = injected.expectHitTarget({ x, y }, el);
  return { x, y, other: r === 'done' ? '' : r.hitTargetDescription || 'another element' }; }`;
// What gets the click instead of the element, '' for nothing; the frames that it is in are looked through, too.
function* coveredBy(h, p) {
  let { x, y, other } = yield* h.page(HIT, [p.dx, p.dy]);
  for (let f = h.frame_; !other && f.parent; f = f.parent) {
    const owner = yield* f.frameElement();
    // The point in the frame's own view, from the corner of its border.
    const border = yield* owner.page('(injected, e) => [e.clientLeft, e.clientTop]', []);
    ({ x, y, other } = yield* owner.page(HIT, [x + border[0], y + border[1]]));
    owner.release();
  }
  return other;
}

// Until the element is ready and gets what is pointed at it; act(point) then.
function* point(h, o, ms, states, act) {
  const end = native.now() + (ms > 0 ? ms : 3600000);
  let why = null;
  for (let pause = 0; ; pause = Math.min(pause + 20, 100)) {
    if (why && native.now() > end) throw new TimeoutError(ms, why.message || why);
    if (pause) yield delay(pause);
    const left = Math.max(1, end - native.now());
    try {
      if (!o.force) yield* waitStates(h, states, left);
      const p = yield* clickPoint(h, o);
      const other = o.force ? '' : yield* coveredBy(h, p);
      if (other) {
        why = `${other} intercepts pointer events`;
        continue;
      }
      if (!o.trial) yield* act(p);
      return;
    } catch (e) {
      if (e.isTimeout && !why) throw new TimeoutError(ms);
      if (e.isDetached || e.isTimeout || e.isScripts || NAVIGATED_AWAY.test(e.message)) throw e;
      if (/not have a layout object|not visible/.test(e.message) && !o.force) { why = domError('error:notvisible'); continue; }
      throw e;
    }
  }
}
// What an action sets off: navigations that began are waited for, until they are committed.
function* settled(h, o, ms, body) {
  yield* body;
  const page = h.frame_.page_;
  if (o.noWaitAfter || page.isClosed_) return;
  try {
    yield limited(page.session.send('Runtime.evaluate', { expression: '0' }), 500);
  } catch (_) { /* a dialog, or the page is on its way */ }
  for (const f of [...page.frames.values()])
    if (f.isGoing) {
      try {
        yield* f.until(() => !f.isGoing, ms);
      } catch (e) {
        if (!f.isDetached_ && !page.isClosed_) throw new Error(`waiting for navigation: ${e.message}`);
      }
    }
}
const CLICK_STATES = ['visible', 'enabled', 'stable'];
function* clickElement(h, o, ms, count) {
  const mouse = h.frame_.page_.mouse;
  yield* settled(h, o, ms, point(h, o, ms, CLICK_STATES, function* (p) {
    yield* mouse.withModifiers(o.modifiers, mouse.click(p.x, p.y, { ...o, clickCount: count || o.clickCount }));
  }));
}
function* setChecked(h, o, ms, want) {
  const is = `(injected, e) => { const n = injected.retarget(e, 'follow-label');
    if (!n || !n.isConnected) return 'error:notconnected';
    if (!['checkbox', 'radio'].includes(n.type) && !injected.getAriaRole?.(n)?.match?.(/checkbox|radio|switch|menuitem|option|treeitem/)) return 'error:notcheckbox';
    return injected.elementState(n, 'checked'); }`;
  if ((yield* h.page(is, [])) === want) return;
  yield* clickElement(h, o, ms);
  if (!o.trial && (yield* h.page(is, [])) !== want) throw new Error('clicking the checkbox did not change its state');
}

function action(name, args, run) { ACTIONS[name] = { args, run }; }
action('click', 0, (h, a, o, ms) => clickElement(h, o, ms));
action('dblclick', 0, (h, a, o, ms) => clickElement(h, o, ms, 2));
action('tap', 0, function* (h, a, o, ms) {
  const { mouse, touchscreen } = h.frame_.page_;
  yield* settled(h, o, ms, point(h, o, ms, CLICK_STATES, function* (p) {
    yield* mouse.withModifiers(o.modifiers, touchscreen.tap(p.x, p.y));
  }));
});
action('hover', 0, function* (h, a, o, ms) {
  const { mouse } = h.frame_.page_;
  yield* point(h, o, ms, ['visible', 'stable'], function* (p) { yield* mouse.withModifiers(o.modifiers, mouse.move(p.x, p.y)); });
});
action('check', 0, (h, a, o, ms) => setChecked(h, o, ms, true));
action('uncheck', 0, (h, a, o, ms) => setChecked(h, o, ms, false));
action('setChecked', 1, (h, a, o, ms) => setChecked(h, o, ms, !!a[0]));
action('fill', 1, function* (h, [value], o, ms) {
  if (!o.force) yield* waitStates(h, ['visible', 'enabled', 'editable'], ms);
  const text = String(value);
  const r = yield* h.page('(injected, e, v) => injected.fill(e, v)', [text]);
  if (r !== 'needsinput') return;
  if (text) yield h.session.send('Input.insertText', { text });
  else yield* h.frame_.page_.keyboard.press('Delete');
});
action('clear', 0, (h, a, o, ms) => ACTIONS.fill.run(h, [''], o, ms));
action('focus', 0, function* (h) { yield* h.page('(injected, e) => injected.focusNode(e, false)', []); });
function* typeText(h, [text], o, ms) {
  yield* settled(h, o, ms, (function* () {
    yield* h.page('(injected, e) => injected.focusNode(e, true)', []);
    yield* h.frame_.page_.keyboard.type(text, o);
  })());
}
action('type', 1, typeText);
action('pressSequentially', 1, typeText);
action('press', 1, function* (h, [key], o, ms) {
  yield* settled(h, o, ms, (function* () {
    yield* h.page('(injected, e) => injected.focusNode(e, true)', []);
    yield* h.frame_.page_.keyboard.press(key, o);
  })());
});
action('selectOption', 1, function* (h, [values], o, ms) {
  const list = (Array.isArray(values) ? values : values === null || values === undefined ? [] : [values]).map((v) =>
    v && v.isHandle ? v : typeof v === 'object' ? v : { valueOrLabel: String(v) });
  if (!o.force) yield* waitStates(h, ['visible', 'enabled'], ms);
  const handles = list.filter((v) => v.isHandle), rest = list.filter((v) => !v.isHandle), end = native.now() + ms;
  for (;;) {
    try {
      return yield* h.page('(injected, e, rest, ...nodes) => injected.selectOptions(e, [...rest, ...nodes])', [rest, ...handles]);
    } catch (e) {
      if (e.message !== DOM_ERRORS['error:optionsnotfound'] || native.now() > end) throw e;
      yield delay(20);
    }
  }
});
action('setInputFiles', 1, function* (h, [files]) {
  const list = (Array.isArray(files) ? files : files === null || files === undefined ? [] : [files]).map((f) => ({
    name: String(f.name), mimeType: String(f.mimeType || f.mimetype || 'application/octet-stream'),
    buffer: typeof f.buffer === 'string' ? f.buffer : native.encode(f.buffer), lastModifiedMs: 0 }));
  const bad = yield* h.page('(injected, e, files) => { const n = injected.retarget(e, "follow-label"); return n ? injected.setInputFiles(n, files) : "error:notconnected"; }', [list]);
  if (bad) throw new Error(bad);
});
action('dispatchEvent', 2, function* (h, [type, init]) {
  yield* h.page('(injected, e, type, init) => injected.dispatchEvent(e, type, init || {})', [String(type), init === undefined ? null : init]);
});
action('scrollIntoViewIfNeeded', 0, function* (h) { yield h.session.send('DOM.scrollIntoViewIfNeeded', { objectId: h.remote.objectId }); });
action('selectText', 0, function* (h, a, o, ms) {
  if (!o.force) yield* waitStates(h, ['visible'], ms);
  yield* h.page('(injected, e) => injected.selectText(e)', []);
});
function reader(name, args, source) { action(name, args, function* (h, a) { return yield* h.page(source, a); }); }
const HTML_ONLY = `if (e.nodeType !== 1 || e.namespaceURI !== 'http://www.w3.org/1999/xhtml') throw new Error('node is not an HTMLElement');`;
reader('getAttribute', 1, '(injected, e, name) => e.getAttribute(name)');
reader('innerHTML', 0, '(injected, e) => e.innerHTML');
reader('innerText', 0, `(injected, e) => { ${HTML_ONLY} return e.innerText; }`);
reader('textContent', 0, '(injected, e) => e.textContent');
reader('inputValue', 0, `(injected, e) => { const n = injected.retarget(e, 'follow-label');
  return n && ['INPUT', 'TEXTAREA', 'SELECT'].includes(n.nodeName) ? { v: n.value } : 'error:notinput'; }`);
{
  const plain = ACTIONS.inputValue.run;
  ACTIONS.inputValue.run = function* (h, a) { return (yield* plain(h, a)).v; };
}
for (const state of ['checked', 'disabled', 'editable', 'enabled', 'hidden', 'visible'])
  reader(`is${state[0].toUpperCase()}${state.slice(1)}`, 0, `(injected, e) => injected.elementState(e, '${state}')`);
action('isInViewport', 0, function* (h, a, o) {
  const ratio = yield* h.page('(injected, e) => injected.viewportRatio(e)', []);
  return ratio > 0 && ratio >= (o.ratio || 0);
});
action('boundingBox', 0, function* (h) {
  try {
    const { model } = yield h.session.send('DOM.getBoxModel', { objectId: h.remote.objectId });
    const q = model.border, xs = [q[0], q[2], q[4], q[6]], ys = [q[1], q[3], q[5], q[7]];
    const x = Math.min(...xs), y = Math.min(...ys), from = yield* h.frame_.origin();
    return { x: from.x + x, y: from.y + y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
  } catch (e) {
    if (/Could not compute box model/.test(e.message)) return null;
    throw e;
  }
});
action('screenshot', 0, function* (h, a, o, ms) {
  yield* waitStates(h, ['visible', 'stable'], ms);
  yield h.session.send('DOM.scrollIntoViewIfNeeded', { objectId: h.remote.objectId });
  const box = yield* ACTIONS.boundingBox.run(h);
  return yield* capture(h.frame_.page_, o, box);
});

// ---- the selector methods of Frame, Locator and ElementHandle, from ACTIONS
const NO_WAIT = { isVisible: false, isHidden: true }; // what a missing element counts as
// What errors say was being done, in k6's words, for a frame's selector, a locator and an element: % is the selector, $ the
// first argument.
const WORDS = {
  click: ['clicking on %', 'clicking on %', 'clicking on element'],
  dblclick: ['double clicking on %', 'double clicking on %', 'double clicking on element'],
  tap: ['tapping on %', 'tapping on %', 'tapping element'],
  hover: ['hovering %', 'hovering on %', 'hovering on element'],
  check: ['checking %', 'checking %', 'checking element'],
  uncheck: ['unchecking %', 'unchecking %', 'checking element'],
  setChecked: ['setting checked %', 'setting % checked to $', 'checking element'],
  fill: ['filling % with $', 'filling % with $', 'filling element'],
  clear: ['clearing %', 'clearing %', 'clearing element'],
  focus: ['focusing %', 'focusing on %', 'focusing on element'],
  type: ['typing $ in %', 'typing $ in %', 'typing text $'],
  press: ['pressing $ on %', 'pressing $ on %', 'pressing $ on element'],
  pressSequentially: ['', 'pressing sequentially $ on %', ''],
  selectOption: ['selecting option on %', 'selecting option on %', 'selecting options'],
  setInputFiles: ['setting input files on %', 'setting input files on %', 'setting input files'],
  dispatchEvent: ['dispatching frame event $ to %', 'dispatching locator event $ to %', 'dispatching element event $'],
  scrollIntoViewIfNeeded: ['', '', 'scrolling element into view'],
  selectText: ['', '', 'selecting text'],
  getAttribute: ['getting attribute $ of %', 'getting attribute $ of %', 'getting attribute $ of element'],
  innerHTML: ['getting inner HTML of %', 'getting inner HTML of %', "getting element's inner HTML"],
  innerText: ['getting inner text of %', 'getting inner text of %', "getting element's inner text"],
  textContent: ['getting text content of %', 'getting text content of %', 'getting text content of element'],
  inputValue: ['getting input value of %', 'getting input value of %', "getting element's input value"],
  boundingBox: ['', 'getting bounding box of %', 'getting bounding box model of DOM node'],
  screenshot: ['', '', 'taking screenshot of elementHandle'],
  isChecked: ['checking element is checked %', 'checking is % checked', 'checking element is checked'],
  isInViewport: ['', 'checking is % in viewport', ''],
};
for (const state of ['disabled', 'editable', 'enabled', 'hidden', 'visible'])
  WORDS[`is${state[0].toUpperCase()}${state.slice(1)}`] = [`checking is % ${state}`, `checking is % ${state}`, `checking element is ${state}`];
const OF_FRAME = 0, OF_LOCATOR = 1, OF_ELEMENT = 2;
function actionError(kind, name, args, selector, e) {
  const first = () => typeof args[0] === 'boolean' ? String(args[0]) : quote(args[0]);
  const words = WORDS[name][kind].replace(/[%$]/g, (c) => c === '%' ? quote(selector) : first());
  return new Error(`${words}: ${e.message}`);
}
function* actOn(frame, selector, name, args, o, kind) {
  const ms = frame.page_.timeout(o), { run } = ACTIONS[name];
  const end = native.now() + (ms > 0 ? ms : 3600000);
  try {
    for (;;) {
      const left = Math.max(1, end - native.now());
      let h;
      if (name in NO_WAIT) {
        h = yield* frame.query(selector, { strict: o.strict });
        if (!h) return NO_WAIT[name];
      } else {
        try {
          h = yield* frame.find(selector, { state: 'attached', strict: o.strict }, left);
        } catch (e) {
          throw e.isTimeout ? new TimeoutError(ms) : e;
        }
      }
      try {
        return yield* run(h, args, o, left);
      } catch (e) {
        const again = e && (e.isDetached || (e.message && NAVIGATED_AWAY.test(e.message)));
        if (!again || native.now() > end) throw e && e.isTimeout ? new TimeoutError(ms, e.why) : inK6sWords(e);
        if (name in NO_WAIT) return NO_WAIT[name];
        yield delay(10);
      } finally {
        h.release();
      }
    }
  } catch (e) {
    if (e && e.isScripts) throw e;
    throw actionError(kind, name, args, selector, e);
  }
}
for (const name of Object.keys(ACTIONS)) {
  const n = ACTIONS[name].args;
  Frame.prototype[name] = function* (selector, ...rest) {
    return yield* actOn(this, String(selector), name, rest.slice(0, n), rest[n] || {}, OF_FRAME);
  };
  ElementHandle.prototype[name] = function* (...rest) {
    const o = rest[n] || {};
    try {
      return yield* ACTIONS[name].run(this, rest.slice(0, n), o, this.frame_.page_.timeout(o));
    } catch (e) {
      if (e && e.isScripts) throw e;
      if (name in NO_WAIT && e.isDetached) return NO_WAIT[name];
      throw actionError(OF_ELEMENT, name, rest, '', inK6sWords(e));
    }
  };
}
