// ---- 90 the two faces: what scripts see
// Per class: members that give promises in k6/browser, and those that answer at once in both.
const SELECTOR_ASYNC = 'check click dblclick dispatchEvent fill focus getAttribute hover innerHTML innerText inputValue isChecked ' +
  'isDisabled isEditable isEnabled isHidden isVisible press selectOption setChecked tap textContent type uncheck';
const GET_BY_NAMES = Object.keys(GET_BY).join(' ');
const FRAME_ASYNC = `${SELECTOR_ASYNC} $ $$ content evaluate evaluateHandle goto setContent setInputFiles title waitForFunction ` +
  'waitForLoadState waitForNavigation waitForSelector waitForTimeout waitForURL';
const MEMBERS = [
  [Browser, 'closeContext newContext newPage', 'context:contextNow isConnected userAgent version'],
  [BrowserType, 'connectOverCDP', ''],
  [BrowserContext, 'addCookies addInitScript clearCookies clearPermissions close cookies grantPermissions newPage setGeolocation ' +
    'setHTTPCredentials setOffline waitForEvent', 'browser pages setDefaultNavigationTimeout setDefaultTimeout'],
  [Page, `${FRAME_ASYNC} bringToFront close emulateMedia emulateVisionDeficiency goBack goForward opener reload route screenshot ` +
    'setExtraHTTPHeaders setViewportSize throttleCPU throttleNetwork unroute unrouteAll waitForEvent waitForRequest waitForResponse',
  `${GET_BY_NAMES} context frameLocator frames:framesList isClosed locator mainFrame on setDefaultNavigationTimeout setDefaultTimeout ` +
    'url viewportSize workers', 'keyboard mouse touchscreen'],
  [Frame, `${FRAME_ASYNC} frameElement`,
    `${GET_BY_NAMES} childFrames frameLocator isDetached locator name page parentFrame url`],
  [Locator, `${SELECTOR_ASYNC} all boundingBox clear count evaluate evaluateHandle isInViewport pressSequentially waitFor`,
    `${GET_BY_NAMES} contentFrame filter first frameLocator last locator nth`],
  [FrameLocator, '', `${GET_BY_NAMES} frameLocator locator`],
  [JSHandle, 'dispose evaluate evaluateHandle getProperties jsonValue', 'asElement'],
  [ElementHandle, `${SELECTOR_ASYNC} dispose evaluate evaluateHandle getProperties jsonValue $ $$ boundingBox contentFrame ownerFrame ` +
    'screenshot scrollIntoViewIfNeeded selectText setInputFiles waitForElementState waitForSelector', 'asElement'],
  [Keyboard, 'down:downSaid insertText:insertTextSaid press:pressSaid type:typeSaid up:upSaid', ''],
  [Mouse, 'click:clickSaid dblclick:dblclickSaid dblClick:dblclickSaid down:downSaid move:moveSaid up:upSaid', ''],
  [Touchscreen, 'tap:tapSaid', ''],
  [Request, 'allHeaders headersArray headerValue response',
    'failure frame headers isNavigationRequest method postData postDataBuffer resourceType size timing url'],
  [Response, 'allHeaders body headersArray headerValue headerValues json securityDetails serverAddr size text',
    'frame headers ok request status statusText url'],
  [Route, 'abort continue fulfill', 'request'],
  [ConsoleMessage, '', 'args page text type'],
  [MetricMessage, '', 'tag'],
  [Worker, '', 'url'],
];
// v0.51 gives promises for these only.
const PROMISES_V051 = new Map([
  [Locator, 'click tap'], [ElementHandle, 'click tap'], [Touchscreen, 'tap'], [BrowserContext, 'waitForEvent'],
  [Frame, 'click goto tap waitForFunction waitForNavigation'], [Page, 'click goto tap waitForFunction waitForNavigation'],
]);
const IMPL = Symbol('impl');

class Face {
  constructor(isSync) {
    this.isSync = isSync;
    this.wrapper = Symbol('wrapper'); // what an object is wrapped in; a WeakMap would keep both for ever, as each holds the other
    this.prototypes = new Map();
    for (const [c, promises, plain, properties] of MEMBERS) this.prototypes.set(c, this.prototype(c, promises, plain, properties || ''));
  }
  prototype(c, promises, plain, properties) {
    const face = this, proto = {};
    Object.defineProperty(proto, Symbol.toStringTag, { value: c.name, configurable: true });
    const words = (s) => s.split(' ').filter((w) => w).map((w) => w.split(':'));
    const define = (name, value) => Object.defineProperty(proto, name, { value, writable: true, enumerable: true, configurable: true });
    const kept = (PROMISES_V051.get(c) || '').split(' ');
    for (const [name, inner = name] of words(promises)) {
      const blocks = this.isSync && !kept.includes(name);
      define(name, function (...args) {
        currentFace = face;
        const impl = this[IMPL], gen = impl[inner](...args.map(unwrap));
        if (!blocks) return run(gen, (v) => face.wrap(v));
        try {
          return face.wrap(block(gen));
        } catch (e) {
          throw goError(e);
        }
      });
    }
    for (const [name, inner = name] of words(plain))
      define(name, function (...args) {
        currentFace = face;
        try {
          return face.wrap(this[IMPL][inner](...args.map(unwrap)));
        } catch (e) {
          throw goError(e);
        }
      });
    for (const [name] of words(properties))
      Object.defineProperty(proto, name, { get() { return face.wrap(this[IMPL][name]); }, enumerable: true, configurable: true });
    return proto;
  }
  wrap(v) {
    if (v === null || typeof v !== 'object') return v;
    if (Array.isArray(v)) return v.map((x) => this.wrap(x));
    if (v instanceof Map) return new Map([...v].map(([k, x]) => [k, this.wrap(x)]));
    const proto = this.prototypes.get(v.constructor);
    if (!proto) return v;
    if (!v[this.wrapper]) {
      const w = v[this.wrapper] = Object.create(proto, { [IMPL]: { value: v } });
      if (v.isUserManaged) w.close = () => run(v.close());
    }
    return v[this.wrapper];
  }
}
function unwrap(v) {
  if (v === null || typeof v !== 'object') return v;
  if (v[IMPL]) return v[IMPL];
  return Array.isArray(v) ? v.map(unwrap) : v;
}
let currentFace;

// An object with a class's members of its own, for something that is looked up when it is used: the VU's browser may not
// run yet, or another may have taken its place.
function standIn(face, c, find) {
  const proto = face.prototypes.get(c), o = {};
  for (const name of Object.keys(proto))
    o[name] = function (...args) {
      return proto[name].apply({ [IMPL]: find() }, args);
    };
  return o;
}
const PROFILES = {
  'No Throttling': { download: -1, upload: -1, latency: 0 },
  'Slow 3G': { download: 50000, upload: 50000, latency: 2000 },
  'Fast 3G': { download: 180000, upload: 84375, latency: 562.5 },
};
let devices = null;
function exportsOf(isSync) {
  const face = new Face(isSync), type = new BrowserType();
  currentFace = currentFace || face;
  return { browser: standIn(face, Browser, browserOfVU), chromium: standIn(face, BrowserType, () => type), networkProfiles: PROFILES,
    get devices() { return devices = devices || JSON.parse(native.asset('devices')); } };
}
// A VU seldom uses both.
const faces = {};
return {
  get async() { return faces.async = faces.async || exportsOf(false); },
  get sync() { return faces.sync = faces.sync || exportsOf(true); },
  message: onMessage, timers: onTimers, ended: onEnded, start, reset, endIteration,
};
