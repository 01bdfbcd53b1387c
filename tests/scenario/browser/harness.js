// For scripts about k6/browser: tests with a name, and a record of the members that each of them calls.
//
//     watch(browser, 'Browser');
//     await test('a button is clicked', async () => { await page.click('button'); equal(await page.title(), 'x'); });
//     report();
//
// report() logs one line "MEMBERS {class: [member]}" and one "COVERED {class: {member: [test]}}" for test_browser.py.
import { check } from 'k6';

const CLASSES = ['Browser', 'BrowserType', 'BrowserContext', 'Page', 'Frame', 'Locator', 'FrameLocator', 'JSHandle', 'ElementHandle',
  'Keyboard', 'Mouse', 'Touchscreen', 'Request', 'Response', 'Route', 'ConsoleMessage', 'MetricMessage', 'Worker'];
const CALLED_BACK = ['on', 'route', 'waitForEvent'];
const members = {}, covered = {};
const watched = new WeakSet();
let current = null;

function note(name, member) {
  if (current === null) return;
  const c = covered[name] = covered[name] || {}, tests = c[member] = c[member] || [];
  if (!tests.includes(current)) tests.push(current);
}
function patch(o, name) {
  if (watched.has(o)) return;
  watched.add(o);
  members[name] = Object.getOwnPropertyNames(o);
  for (const member of members[name]) {
    const d = Object.getOwnPropertyDescriptor(o, member);
    if (d.get) {
      Object.defineProperty(o, member, { enumerable: true, get() { note(name, member); return watch(d.get.call(this)); } });
      continue;
    }
    const f = d.value;
    o[member] = function (...args) {
      note(name, member);
      if (CALLED_BACK.includes(member))
        args = args.map((a) => typeof a === 'function' ? (...given) => a(...given.map((x) => watch(x))) : a);
      return watch(f.apply(this, args));
    };
  }
}
// v, whose members are recorded from here on; so are those of all it gives.
export function watch(v, name) {
  if (v === null || typeof v !== 'object') return v;
  if (v instanceof Promise) return v.then((x) => watch(x));
  if (name) patch(v, name);
  else if (Array.isArray(v)) v.forEach((x) => watch(x));
  else if (v instanceof Map) v.forEach((x) => watch(x));
  else if (CLASSES.includes(v[Symbol.toStringTag])) patch(Object.getPrototypeOf(v), v[Symbol.toStringTag]);
  return v;
}
export function covers(name, ...list) { list.forEach((member) => note(name, member)); }

function show(v) { return typeof v === 'string' ? v : JSON.stringify(v); }
export function equal(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${show(found)} is not ${show(wanted)}`);
}
export function match(found, pattern) {
  if (!pattern.test(String(found))) throw new Error(`${show(found)} does not match ${pattern}`);
}
export async function fails(text, f) {
  let e;
  try {
    await f();
  } catch (caught) {
    e = caught;
  }
  if (!e) throw new Error(`nothing was thrown, instead of ${text}`);
  const message = String(e.message).split('\n')[0];
  if (text instanceof RegExp) match(message, text);
  else equal(message, text);
}
export async function eventually(f, wanted) {
  for (let i = 0; ; i++) {
    const found = await f();
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (i > 200) throw new Error(`${show(found)} does not become ${show(wanted)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
export async function test(name, f) {
  current = name;
  const begin = Date.now();
  try {
    await f();
    check(null, { [name]: true });
  } catch (e) {
    console.error(`FAIL ${name}: ${e.message} ${e.stack}`);
  }
  current = null;
  if (__ENV.TIMES) console.log(`${Date.now() - begin} ms: ${name}`);
}
export function report() {
  console.log(`MEMBERS ${JSON.stringify(members)}`);
  console.log(`COVERED ${JSON.stringify(covered)}`);
}
export function scenario() {
  return { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };
}
