// ---- 00 core: operations, drivers, the connection
// Browser work is written as generators that yield operations (Op). Two drivers run them: run() gives a
// promise (k6/browser), block() waits on the VU's fiber (k6/experimental/browser).

class Op {
  constructor() {
    this.done = false;
    this.callbacks = [];
  }
  settle(error, value) {
    if (this.done) return;
    this.done = true;
    this.error = error;
    this.value = value;
    for (const f of this.callbacks) f(this);
    this.callbacks = null;
  }
  resolve(value) { this.settle(undefined, value); }
  reject(error) { this.settle(error); }
  then(f) { if (this.done) f(this); else this.callbacks.push(f); }
}

// Timers of this module; the nearest one is native.
let timers = [];
function arm() {
  let at = -1;
  for (const t of timers) if (at < 0 || t.at < at) at = t.at;
  native.wakeAt(at);
}
function after(ms, f) {
  const t = { at: native.now() + Math.max(0, ms), f };
  timers.push(t);
  arm();
  return t;
}
function cancelTimer(t) {
  const i = timers.indexOf(t);
  if (i < 0) return;
  timers.splice(i, 1);
  arm();
}
function runTimers() {
  const now = native.now();
  const due = timers.filter((t) => t.at <= now);
  if (due.length) timers = timers.filter((t) => t.at > now);
  due.sort((a, b) => a.at - b.at);
  for (const t of due) t.f();
  arm();
}
function delay(ms) {
  const op = new Op();
  after(ms, () => op.resolve());
  return op;
}
// op, or a timeout. ms 0 or Infinity: for ever.
function limited(op, ms, makeError) {
  if (op.done || !(ms > 0) || ms === Infinity) return op;
  const out = new Op();
  const t = after(ms, () => out.reject(makeError ? makeError() : new TimeoutError(ms)));
  op.then((o) => {
    cancelTimer(t);
    out.settle(o.error, o.value);
  });
  return out;
}
function allOf(ops) {
  const out = new Op();
  let left = ops.length;
  if (!left) out.resolve([]);
  for (const op of ops)
    op.then((o) => {
      if (o.error) out.reject(o.error);
      else if (--left === 0) out.resolve(ops.map((x) => x.value));
    });
  return out;
}

function goDuration(ms) {
  if (ms < 1000) return `${+ms.toFixed(3)}ms`;
  const s = ms / 1000;
  if (s < 60) return `${+s.toFixed(3)}s`;
  return `${Math.floor(s / 60)}m${+(s % 60).toFixed(3)}s`;
}
class TimeoutError extends Error {
  constructor(ms) {
    super(`timed out after ${goDuration(ms)}`);
    this.isTimeout = true;
  }
}

function step(gen, isError, value) {
  return isError ? gen.throw(value) : gen.next(value);
}
// Runs a generator for a promise's sake: settle(error, value) is called once.
function drive(gen, settle) {
  let isError = false, value;
  const go = () => {
    for (;;) {
      let r;
      try {
        r = step(gen, isError, value);
      } catch (e) {
        return settle(e);
      }
      if (r.done) return settle(undefined, r.value);
      const op = r.value;
      if (!op.done) {
        op.then(() => {
          isError = op.error !== undefined;
          value = isError ? op.error : op.value;
          go();
        });
        return;
      }
      isError = op.error !== undefined;
      value = isError ? op.error : op.value;
    }
  };
  go();
}
function run(gen, convert) {
  return new Promise((resolve, reject) => {
    native.pending(1);
    drive(gen, (error, value) => {
      native.pending(-1);
      if (error !== undefined) reject(goError(error));
      else resolve(convert ? convert(value) : value);
    });
  });
}
function blockOn(op) {
  while (!op.done) native.poll();
  if (op.error !== undefined) throw op.error;
  return op.value;
}
function block(gen) {
  const op = new Op();
  drive(gen, (error, value) => op.settle(error, value));
  return blockOn(op);
}
// A generator as an operation, running beside the caller.
function spawn(gen) {
  const op = new Op();
  drive(gen, (error, value) => op.settle(error, value));
  return op;
}
function goError(e) {
  return e && e.isScripts ? e.value : native.goError(e && e.message !== undefined ? String(e.message) : String(e));
}

// ---- the connection
let nextId = 1;
let commands = new Map(); // id -> { op, session }
let sessions = new Map(); // id -> Session
let listened = new Set();

class Session {
  constructor(id) {
    this.id = id;
    this.handlers = new Map();
    this.isClosed = false;
    sessions.set(id, this);
  }
  on(method, f) {
    if (!listened.has(method)) {
      listened.add(method);
      native.listen(method);
    }
    this.handlers.set(method, f);
  }
  send(method, params) {
    const op = new Op();
    const id = nextId++;
    if (this.isClosed || !native.send(id, this.id, method, params ? JSON.stringify(params) : '')) {
      op.reject(new Error(`${method}: target closed`));
      return op;
    }
    commands.set(id, { op, session: this });
    return op;
  }
  // The answer is of no interest, an error neither.
  tell(method, params) { this.send(method, params); }
  close(why) {
    if (this.isClosed) return;
    this.isClosed = true;
    sessions.delete(this.id);
    for (const [id, c] of commands)
      if (c.session === this) {
        commands.delete(id);
        c.op.reject(new Error(why));
      }
  }
}

function onMessage(id, sessionId, method, payload, isError) {
  if (id) {
    const c = commands.get(id);
    if (!c) return;
    commands.delete(id);
    if (isError) c.op.reject(new Error(payload.message + (payload.data ? ` (${payload.data})` : '')));
    else c.op.resolve(payload);
    return;
  }
  const s = sessions.get(sessionId);
  const f = s && s.handlers.get(method);
  if (f) f(payload);
}
function onEnded(why) {
  for (const s of [...sessions.values()]) s.close(why);
  if (theBrowser) theBrowser.ended(why);
}

function quote(s) { return JSON.stringify(String(s)); }
function isRegExp(v) { return Object.prototype.toString.call(v) === '[object RegExp]'; }
function matcher(pattern, what) {
  if (pattern === undefined || pattern === null || pattern === '') return () => true;
  if (typeof pattern === 'function') return pattern;
  if (isRegExp(pattern)) return (s) => { pattern.lastIndex = 0; return pattern.test(s); };
  return (s) => s === String(pattern);
}
// What the script's own function throws reaches the script as it is.
function callScript(f, ...args) {
  try {
    return f(...args);
  } catch (value) {
    throw { isScripts: true, value };
  }
}
