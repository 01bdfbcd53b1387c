// ---- 45 locators
// A text or pattern in a selector: "text"i, "text"s (exact), /pattern/flags.
function textBody(text, exact) {
  if (isRegExp(text)) return String(text).replace(/>>/g, '\\>\\>');
  return `${JSON.stringify(String(text))}${exact ? 's' : 'i'}`;
}
function attributeBody(text, exact) {
  if (isRegExp(text)) return String(text).replace(/>>/g, '\\>\\>');
  return `"${String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"${exact ? 's' : 'i'}`;
}
function filtered(selector, o) {
  let s = selector;
  if (o && o.hasText !== undefined && o.hasText !== null) s += ` >> internal:has-text=${textBody(o.hasText, false)}`;
  if (o && o.hasNotText !== undefined && o.hasNotText !== null) s += ` >> internal:has-not-text=${textBody(o.hasNotText, false)}`;
  return s;
}
const GET_BY = {
  getByAltText: (t, o) => `internal:attr=[alt=${attributeBody(t, o.exact)}]`,
  getByPlaceholder: (t, o) => `internal:attr=[placeholder=${attributeBody(t, o.exact)}]`,
  getByTitle: (t, o) => `internal:attr=[title=${attributeBody(t, o.exact)}]`,
  getByTestId: (t) => `internal:testid=[data-testid=${attributeBody(t, true)}]`,
  getByLabel: (t, o) => `internal:label=${textBody(t, o.exact)}`,
  getByText: (t, o) => `internal:text=${textBody(t, o.exact)}`,
  getByRole(role, o) {
    let s = `internal:role=${role}`;
    for (const [key, name] of [['checked', 'checked'], ['disabled', 'disabled'], ['selected', 'selected'], ['expanded', 'expanded'],
      ['includeHidden', 'include-hidden'], ['level', 'level']])
      if (o[key] !== undefined && o[key] !== null) s += `[${name}=${o[key]}]`;
    if (o.name !== undefined && o.name !== null) s += `[name=${attributeBody(o.name, o.exact)}]`;
    if (o.pressed !== undefined && o.pressed !== null) s += `[pressed=${o.pressed}]`;
    return s;
  },
};
const ENTER = ' >> internal:control=enter-frame >> ';

class Locator {
  constructor(frame, selector) {
    this.frame_ = frame;
    this.selector = selector;
  }
  sub(s) { return new Locator(this.frame_, `${this.selector} >> ${s}`); }
  locator(selector, o) { return this.sub(filtered(String(selector), o)); }
  filter(o) { return new Locator(this.frame_, filtered(this.selector, o)); }
  first() { return this.sub('nth=0'); }
  last() { return this.sub('nth=-1'); }
  nth(n) { return this.sub(`nth=${Number(n)}`); }
  frameLocator(selector) { return new FrameLocator(this.frame_, `${this.selector} >> ${selector}`); }
  contentFrame() { return new FrameLocator(this.frame_, this.selector); }
  *count() {
    try {
      const at = yield* this.frame_.resolveFrame(this.selector);
      return at ? yield* at.frame.inPageRetried('(injected, s) => injected.querySelectorAll(injected.parseSelector(s), document).length',
        [at.selector], 'value', this.frame_.page_.timeout()) : 0;
    } catch (e) {
      throw new Error(`counting elements: ${e.message}`);
    }
  }
  *all() {
    const n = yield* this.count();
    return Array.from({ length: n }, (_, i) => this.nth(i));
  }
  *waitFor(o) {
    const state = o && o.state !== undefined ? o.state : 'visible', ms = this.frame_.page_.timeout(o);
    if (!['attached', 'detached', 'visible', 'hidden'].includes(state)) throw new Error(`parsing locator waitFor options: ${quote(state)} is not a valid DOM state`);
    try {
      const h = yield* this.frame_.find(this.selector, { state, strict: true }, ms);
      if (h) h.release();
    } catch (e) {
      throw new Error(`waiting for ${quote(this.selector)}: ${(e.isTimeout ? new TimeoutError(ms) : e).message}`);
    }
  }
  *onElement(what, script, args, byValue) {
    const ms = this.frame_.page_.timeout();
    let h;
    try {
      h = yield* this.frame_.find(this.selector, { state: 'attached', strict: true }, ms);
      return yield* h.call(script, args, byValue);
    } catch (e) {
      throw evaluateError(e, `${what} ${quote(this.selector)}`);
    }
  }
  *evaluate(script, ...args) { return yield* this.onElement('evaluating on', script, args, true); }
  *evaluateHandle(script, ...args) { return yield* this.onElement('evaluating handle on', script, args, false); }
}
for (const name of Object.keys(ACTIONS)) {
  const n = ACTIONS[name].args;
  Locator.prototype[name] = function* (...rest) {
    return yield* actOn(this.frame_, this.selector, name, rest.slice(0, n), { ...(rest[n] || {}), strict: true }, 1);
  };
}

class FrameLocator {
  constructor(frame, selector) {
    this.frame_ = frame;
    this.selector = selector;
  }
  locator(selector, o) { return new Locator(this.frame_, `${this.selector}${ENTER}${filtered(String(selector), o)}`); }
  frameLocator(selector) { return new FrameLocator(this.frame_, `${this.selector}${ENTER}${selector}`); }
}
for (const name of Object.keys(GET_BY))
  for (const c of [Frame, Locator, FrameLocator])
    c.prototype[name] = function (text, o) {
      if (text === undefined || text === null)
        throw new Error(`missing required argument '${name[5].toLowerCase()}${name.slice(6)}'`);
      return this.locator(GET_BY[name](text, o || {}));
    };

// A page has its main frame's members, where it has none of its own.
for (const name of Object.getOwnPropertyNames(Frame.prototype))
  if (!(name in Page.prototype) && name !== 'constructor')
    Page.prototype[name] = function (...args) { return this.main[name](...args); };
