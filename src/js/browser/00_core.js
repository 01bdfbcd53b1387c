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

// op, whose errors of that kind do not matter.
function tolerated(op, pattern) {
  const out = new Op();
  op.then((o) => out.settle(o.error && pattern.test(o.error.message) ? undefined : o.error, o.value));
  return out;
}

function goDuration(ms) {
  if (ms < 1000) return `${+ms.toFixed(3)}ms`;
  const s = ms / 1000;
  if (s < 60) return `${+s.toFixed(3)}s`;
  return `${Math.floor(s / 60)}m${+(s % 60).toFixed(3)}s`;
}
class TimeoutError extends Error {
  // why: what was the matter until then
  constructor(ms, why) {
    super(`timed out after ${goDuration(ms)}${why ? `: ${why}` : ''}`);
    this.isTimeout = true;
    this.why = why;
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

// ---- connections
let nextId = 1;
const connections = new Map(); // link -> Connection

class Connection {
  constructor(link) {
    this.link = link;
    this.commands = new Map(); // id -> { op, session }
    this.sessions = new Map(); // id -> Session
    this.listened = new Set();
    connections.set(link, this);
  }
  isOpen() { return connections.get(this.link) === this && native.isOpen(this.link); }
  // The browser goes, when it is one of ours; its commands end as those of a closed target.
  close(why) {
    if (connections.get(this.link) !== this) return;
    connections.delete(this.link);
    native.close(this.link);
    for (const s of [...this.sessions.values()]) s.close(why);
  }
  message(id, sessionId, method, payload, isError) {
    if (logsMessages) logMessage('<-', id, sessionId, method, payload);
    if (id) {
      const c = this.commands.get(id);
      if (!c) return;
      this.commands.delete(id);
      if (isError) c.op.reject(new Error(payload.message + (payload.data ? ` (${payload.data})` : '')));
      else c.op.resolve(payload);
      return;
    }
    const s = this.sessions.get(sessionId);
    const f = s && s.handlers.get(method);
    if (f) f(payload);
  }
}

class Session {
  constructor(connection, id) {
    this.connection = connection;
    this.id = id;
    this.handlers = new Map();
    this.isClosed = false;
    connection.sessions.set(id, this);
  }
  on(method, f) {
    const { listened, link } = this.connection;
    if (!listened.has(method)) {
      listened.add(method);
      native.listen(link, method);
    }
    this.handlers.set(method, f);
  }
  send(method, params) {
    const op = new Op();
    const id = nextId++;
    if (logsMessages) logMessage('->', id, this.id, method, params);
    if (this.isClosed || !native.send(this.connection.link, id, this.id, method, params ? JSON.stringify(params) : '')) {
      op.reject(new Error(this.why || 'target closed'));
      return op;
    }
    this.connection.commands.set(id, { op, session: this });
    return op;
  }
  // The answer is of no interest, an error neither.
  tell(method, params) { this.send(method, params); }
  close(why) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.why = why;
    const { sessions, commands } = this.connection;
    sessions.delete(this.id);
    for (const [id, c] of commands)
      if (c.session === this) {
        commands.delete(id);
        c.op.reject(new Error(why));
      }
  }
}

function onMessage(link, id, sessionId, method, payload, isError) {
  const c = connections.get(link);
  if (c) c.message(id, sessionId, method, payload, isError);
  throwFailure();
}
function onEnded(link, why) {
  const c = connections.get(link);
  if (!c) return;
  for (const s of [...c.sessions.values()]) s.close(why);
  for (const b of allBrowsers()) if (b.connection === c) b.ended(why);
  throwFailure();
}
function onTimers() {
  runTimers();
  throwFailure();
}

// What a handler of the script's (page.on, page.route) threw ends the iteration.
let failure = null;
function throwFailure() {
  if (!failure) return;
  const { value } = failure;
  failure = null;
  throw value;
}
function callHandler(f, ...args) {
  try {
    return f(...args);
  } catch (value) {
    if (!failure) failure = { value };
  }
}

// ---- the log of the module: K6_BROWSER_LOG, K6_BROWSER_DEBUG, K6_BROWSER_LOG_CATEGORY_FILTER
let logsMessages = false, categoryFilter = null;
const LOG_LEVELS = { panic: 'error', fatal: 'error', error: 'error', warn: 'warning', warning: 'warning', info: 'info', debug: 'debug', trace: 'debug' };
function setUpLog() {
  const level = native.env('K6_BROWSER_LOG'), filter = native.env('K6_BROWSER_LOG_CATEGORY_FILTER');
  if (level !== undefined) {
    if (!LOG_LEVELS[level.toLowerCase()])
      throw new Error(`error setting up logger: invalid log level ${quote(level)}, should be one of: panic, fatal, error, warn, warning, info, debug, trace`);
    native.logLevel(LOG_LEVELS[level.toLowerCase()]);
  }
  if (envBool('K6_BROWSER_DEBUG', false)) native.logLevel('debug');
  categoryFilter = null;
  if (filter) {
    try {
      categoryFilter = new RegExp(filter);
    } catch (e) {
      throw new Error(`error setting category filter: invalid category filter ${quote(filter)}: ${e.message}`);
    }
  }
  logsMessages = native.logs('debug') && passesFilter('cdp');
}
function passesFilter(category) { return !categoryFilter || categoryFilter.test(category); }
function log(level, category, text) {
  if (native.logs(level) && passesFilter(category)) native.log(level, text, undefined, category);
}
const LOGGED_BYTES_MAX = 1000;
function logMessage(arrow, id, session, method, payload) {
  let text = payload === undefined ? '' : JSON.stringify(payload);
  if (text.length > LOGGED_BYTES_MAX) text = `${text.slice(0, LOGGED_BYTES_MAX)}…`;
  native.log('debug', `${arrow} ${[id || '', method || '', session || '', text].filter((x) => x !== '').join(' ')}`, undefined, 'cdp');
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
