// Streams for k6/experimental/streams, after https://streams.spec.whatwg.org as far as k6 goes: default
// controllers only, no tee(), no byte streams. Evaluated when a script imports the module; gives the exports.
// goError makes the errors that k6 throws from Go.
(function (goError) {
  'use strict';

  const noop = () => {};

  // ---- promises that are settled later, and know whether they are

  function deferred() {
    const d = { pending: true };
    d.promise = new Promise((resolve, reject) => {
      d.resolve = (v) => { d.pending = false; resolve(v); };
      d.reject = (e) => { d.pending = false; reject(e); };
    });
    return d;
  }

  const handled = (d) => d.promise.then(noop, noop);

  function rejectHandled(d, e) {
    handled(d);
    d.reject(e);
  }

  // Calls an algorithm of the script; what it throws becomes a rejection.
  function invoke(fn, ...args) {
    try {
      return Promise.resolve(fn(...args));
    } catch (e) {
      return Promise.reject(e);
    }
  }

  const rejected = (words) => Promise.reject(new TypeError(words));

  // ---- queuing strategies

  const isObject = (v) => (typeof v === 'object' && v !== null) || typeof v === 'function';

  class CountQueuingStrategy {
    constructor(...args) {
      if (args.length !== 1) throw new TypeError('CountQueuingStrategy takes a single argument');
      if (!isObject(args[0])) throw new TypeError('CountQueuingStrategy argument must be an object');
      const { highWaterMark } = args[0];
      if (highWaterMark === undefined || highWaterMark === null)
        throw new TypeError("CountQueuingStrategy argument must have 'highWaterMark' property");
      const readOnly = (value) => ({ value, enumerable: true });
      Object.defineProperties(this, { highWaterMark: readOnly(highWaterMark), size: readOnly(() => 1) });
    }
  }

  // {hwm, size} of a strategy that may be missing.
  function readStrategy(strategy) {
    const given = strategy === undefined || strategy === null ? {} : strategy;
    const { highWaterMark, size } = given;
    if (size !== undefined && size !== null && typeof size !== 'function') throw new TypeError('size must be a function');
    const hwm = highWaterMark === undefined || highWaterMark === null ? 1 : highWaterMark;
    if (typeof hwm !== 'number' || !(hwm >= 0)) throw new RangeError('highWaterMark must be a non-negative number');
    return { hwm, size: size ? (chunk) => size(chunk) : () => 1 };
  }

  function checkSize(size) {
    if (size >= 0 && size < Infinity) return size;
    throw new RangeError('size must be a finite, non-NaN number');
  }

  // A function of an underlying source or sink, bound to it.
  function algorithm(owner, kind, name, fallback) {
    const fn = owner[name];
    if (fn === undefined && !(kind === 'underlyingSource' && name in owner)) return fallback;
    if (typeof fn !== 'function') throw new TypeError(`${kind}.[[${name}]] must be a function`);
    return fn.bind(owner);
  }

  const readOnlyObject = (properties) => {
    for (const p of Object.values(properties)) p.enumerable = true;
    return Object.create(Object.prototype, properties);
  };

  const notConstructable = (name) => () => {
    throw new TypeError(`${name} is not constructable`);
  };

  // ---- readable streams: s is the state of one

  const mayEnqueue = (s) => s.state === 'readable' && !s.closing;
  const isAwaited = (s) => s.reader !== null && s.reader.requests.length > 0;

  function desiredSize(s) {
    if (s.state === 'errored') return null;
    return s.state === 'closed' ? 0 : s.hwm - s.total;
  }

  function dropAlgorithms(s) {
    s.pull = s.cancel = s.size = undefined;
  }

  function endReading(s, settle) {
    const r = s.reader;
    if (r === null) return;
    const requests = r.requests;
    r.requests = [];
    for (const request of requests) settle(request);
  }

  function closeReadable(s) {
    s.state = 'closed';
    if (s.reader !== null) s.reader.closed.resolve(undefined);
    endReading(s, (request) => request.resolve({ value: undefined, done: true }));
  }

  function errorReadable(s, e) {
    if (s.state !== 'readable') return;
    s.queue = [];
    s.total = 0;
    dropAlgorithms(s);
    s.state = 'errored';
    s.error = e;
    if (s.reader !== null) rejectHandled(s.reader.closed, e);
    endReading(s, (request) => request.reject(e));
  }

  function pullIfNeeded(s) {
    if (!mayEnqueue(s) || !s.started || !(isAwaited(s) || desiredSize(s) > 0)) return;
    if (s.pulling) {
      s.pullAgain = true;
      return;
    }
    s.pulling = true;
    invoke(s.pull, s.controller).then(() => {
      s.pulling = false;
      if (s.pullAgain) {
        s.pullAgain = false;
        pullIfNeeded(s);
      }
    }, (e) => errorReadable(s, e));
  }

  function enqueue(s, chunk) {
    if (!mayEnqueue(s)) throw new TypeError('cannot close or enqueue');
    if (isAwaited(s)) {
      s.reader.requests.shift().resolve({ value: chunk, done: false });
    } else {
      try {
        const size = checkSize(Number(s.size(chunk)));
        s.queue.push({ chunk, size });
        s.total += size;
      } catch (e) {
        errorReadable(s, e);
        throw e;
      }
    }
    pullIfNeeded(s);
  }

  function closeController(s) {
    if (!mayEnqueue(s)) throw new TypeError('cannot close or enqueue');
    s.closing = true;
    if (s.queue.length > 0) return;
    dropAlgorithms(s);
    closeReadable(s);
  }

  function cancelReadable(s, reason) {
    if (s.state === 'closed') return Promise.resolve();
    if (s.state === 'errored') return Promise.reject(s.error);
    const cancel = s.cancel;
    closeReadable(s);
    s.queue = [];
    s.total = 0;
    dropAlgorithms(s);
    return invoke(cancel, reason).then(noop);
  }

  function readChunk(s, request) {
    if (s.state === 'closed') {
      request.resolve({ value: undefined, done: true });
    } else if (s.state === 'errored') {
      request.reject(s.error);
    } else if (s.queue.length > 0) {
      const { chunk, size } = s.queue.shift();
      s.total = Math.max(0, s.total - size);
      if (s.closing && s.queue.length === 0) {
        dropAlgorithms(s);
        closeReadable(s);
      } else {
        pullIfNeeded(s);
      }
      request.resolve({ value: chunk, done: false });
    } else {
      s.reader.requests.push(request);
      pullIfNeeded(s);
    }
  }

  function readableController(s) {
    return readOnlyObject({
      desiredSize: { get: () => desiredSize(s) },
      constructor: { value: notConstructable('ReadableStreamDefaultController') },
      close: { value: () => closeController(s) },
      enqueue: { value: (chunk) => enqueue(s, chunk) },
      error: { value: (e) => errorReadable(s, e) },
    });
  }

  function startReadable(s, source) {
    s.controller = readableController(s);
    const start = algorithm(source, 'underlyingSource', 'start', noop);
    s.pull = algorithm(source, 'underlyingSource', 'pull', noop);
    s.cancel = algorithm(source, 'underlyingSource', 'cancel', noop);
    Promise.resolve(start(s.controller)).then(() => {
      s.started = true;
      pullIfNeeded(s);
    }, (e) => errorReadable(s, e));
  }

  let readableState;

  class ReadableStream {
    #s;

    static {
      readableState = (v) => (isObject(v) && #s in v ? v.#s : undefined);
    }

    constructor(source, strategy) {
      if (source !== undefined && !isObject(source)) throw new TypeError('underlyingSource must be an object');
      const owner = source === undefined ? {} : source;
      if (owner.type !== undefined && String(owner.type) !== 'bytes') throw new TypeError('invalid underlying source type');
      if (owner.type !== undefined) throw goError("NotSupportedError:'bytes' stream is not supported yet");
      const { hwm, size } = readStrategy(strategy);
      this.#s = {
        state: 'readable', error: undefined, reader: null, queue: [], total: 0, hwm, size,
        started: false, closing: false, pulling: false, pullAgain: false,
      };
      startReadable(this.#s, owner);
    }

    get locked() {
      return this.#s.reader !== null;
    }

    cancel(reason) {
      return this.locked ? rejected('cannot cancel a locked stream') : cancelReadable(this.#s, reason);
    }

    getReader(options) {
      const mode = options === undefined || options === null ? undefined : options.mode;
      if (mode === undefined) return new ReadableStreamDefaultReader(this);
      if (String(mode) !== 'byob') throw new TypeError("options.mode is not 'byob'");
      throw goError("NotSupportedError:'byob' mode is not supported yet");
    }

    tee() {
      throw goError("NotSupportedError:'tee()' is not supported yet");
    }
  }

  class ReadableStreamDefaultReader {
    #r;

    constructor(...args) {
      if (args.length !== 1) throw new TypeError('ReadableStreamDefaultReader takes a single argument');
      const s = readableState(args[0]);
      if (!s) throw new TypeError('ReadableStreamDefaultReader argument must be a ReadableStream');
      if (s.reader !== null) throw new TypeError('stream is locked');
      const r = (this.#r = { stream: s, requests: [], closed: deferred() });
      s.reader = r;
      if (s.state === 'closed') r.closed.resolve(undefined);
      else if (s.state === 'errored') rejectHandled(r.closed, s.error);
    }

    get closed() {
      return this.#r.closed.promise;
    }

    read() {
      const s = this.#r.stream;
      if (s === null) return rejected('stream is undefined');
      return new Promise((resolve, reject) => readChunk(s, { resolve, reject }));
    }

    cancel(reason) {
      const s = this.#r.stream;
      return s === null ? rejected('stream is undefined') : cancelReadable(s, reason);
    }

    releaseLock() {
      const r = this.#r, s = r.stream;
      if (s === null) return;
      if (!r.closed.pending) r.closed = deferred();
      rejectHandled(r.closed, new TypeError(s.state === 'readable' ? 'stream is readable' : 'stream is not readable'));
      endReading(s, (request) => request.reject(new TypeError('reader released')));
      s.reader = null;
      r.stream = null;
    }
  }

  // ---- writable streams: w is the state of one

  const CLOSE = {};

  const isClosing = (w) => w.closeRequest !== null || w.closeInFlight !== null;
  const isBusy = (w) => w.writeInFlight !== null || w.closeInFlight !== null;

  function dropSink(w) {
    w.write = w.close = w.abort = w.size = undefined;
  }

  function setBackpressure(w) {
    const pressure = w.hwm - w.total <= 0;
    if (w.writer !== null && pressure !== w.backpressure) {
      if (pressure) w.writer.ready = deferred();
      else w.writer.ready.resolve(undefined);
    }
    w.backpressure = pressure;
  }

  function rejectReady(writer, e) {
    if (!writer.ready.pending) writer.ready = deferred();
    rejectHandled(writer.ready, e);
  }

  function rejectClosed(w) {
    if (w.closeRequest !== null) {
      w.closeRequest.reject(w.error);
      w.closeRequest = null;
    }
    if (w.writer !== null) rejectHandled(w.writer.closed, w.error);
  }

  function finishErroring(w) {
    w.state = 'errored';
    w.queue = [];
    w.total = 0;
    for (const request of w.requests) request.reject(w.error);
    w.requests = [];
    const request = w.abortRequest;
    w.abortRequest = null;
    if (request === null) {
      rejectClosed(w);
    } else if (request.wasErroring) {
      request.reject(w.error);
      rejectClosed(w);
    } else {
      const done = invoke(w.abort, request.reason);
      dropSink(w);
      done.then(() => {
        request.resolve(undefined);
        rejectClosed(w);
      }, (e) => {
        request.reject(e);
        rejectClosed(w);
      });
    }
  }

  function startErroring(w, e) {
    w.state = 'erroring';
    w.error = e;
    if (w.writer !== null) rejectReady(w.writer, e);
    if (!isBusy(w) && w.started) finishErroring(w);
  }

  function errorWritable(w, e) {
    if (w.state !== 'writable') return;
    dropSink(w);
    startErroring(w, e);
  }

  function onSinkError(w, e) {
    if (w.state === 'writable') startErroring(w, e);
    else finishErroring(w);
  }

  function closed(w) {
    w.closeInFlight.resolve(undefined);
    w.closeInFlight = null;
    if (w.state === 'erroring') {
      w.error = undefined;
      if (w.abortRequest !== null) w.abortRequest.resolve(undefined);
      w.abortRequest = null;
    }
    w.state = 'closed';
    if (w.writer !== null) w.writer.closed.resolve(undefined);
  }

  function closeFailed(w, e) {
    w.closeInFlight.reject(e);
    w.closeInFlight = null;
    if (w.abortRequest !== null) w.abortRequest.reject(e);
    w.abortRequest = null;
    onSinkError(w, e);
  }

  function written(w, size) {
    w.writeInFlight.resolve(undefined);
    w.writeInFlight = null;
    w.queue.shift();
    w.total = Math.max(0, w.total - size);
    if (!isClosing(w) && w.state === 'writable') setBackpressure(w);
    advance(w);
  }

  function writeFailed(w, e) {
    if (w.state === 'writable') dropSink(w);
    w.writeInFlight.reject(e);
    w.writeInFlight = null;
    onSinkError(w, e);
  }

  // Begins the next write or the close, when nothing is under way.
  function advance(w) {
    if (!w.started || w.writeInFlight !== null) return;
    if (w.state === 'erroring') {
      finishErroring(w);
      return;
    }
    if (w.queue.length === 0) return;
    const { chunk, size } = w.queue[0];
    if (chunk === CLOSE) {
      w.closeInFlight = w.closeRequest;
      w.closeRequest = null;
      w.queue.shift();
      const done = invoke(w.close);
      dropSink(w);
      done.then(() => closed(w), (e) => closeFailed(w, e));
    } else {
      w.writeInFlight = w.requests.shift();
      invoke(w.write, chunk, w.controller).then(() => written(w, size), (e) => writeFailed(w, e));
    }
  }

  function closeWritable(w) {
    if (w.state === 'closed' || w.state === 'errored') return rejected('stream is already closed or errored');
    const request = (w.closeRequest = deferred());
    if (w.writer !== null && w.backpressure && w.state === 'writable') w.writer.ready.resolve(undefined);
    w.queue.push({ chunk: CLOSE, size: 0 });
    advance(w);
    return request.promise;
  }

  function abortWritable(w, reason) {
    if (w.state === 'closed' || w.state === 'errored') return Promise.resolve();
    if (w.abortRequest !== null) return w.abortRequest.promise;
    const wasErroring = w.state === 'erroring';
    const request = (w.abortRequest = Object.assign(deferred(), { wasErroring, reason: wasErroring ? undefined : reason }));
    if (!wasErroring) startErroring(w, reason);
    return request.promise;
  }

  function chunkSize(w, chunk) {
    if (w.size === undefined) return 1;
    try {
      return Number(w.size(chunk));
    } catch (e) {
      errorWritable(w, e);
      return 1;
    }
  }

  function writeChunk(writer, chunk) {
    const w = writer.stream, size = chunkSize(w, chunk);
    if (writer.stream !== w) return rejected('writer was released');
    if (w.state === 'errored') return Promise.reject(w.error);
    if (isClosing(w) || w.state === 'closed') return rejected('stream is closing or closed');
    if (w.state === 'erroring') return Promise.reject(w.error);
    const request = deferred();
    w.requests.push(request);
    try {
      w.queue.push({ chunk, size: checkSize(size) });
    } catch (e) {
      errorWritable(w, e);
      return request.promise;
    }
    w.total += size;
    if (!isClosing(w) && w.state === 'writable') setBackpressure(w);
    advance(w);
    return request.promise;
  }

  function startWritable(w, sink) {
    w.controller = readOnlyObject({
      constructor: { value: notConstructable('WritableStreamDefaultController') },
      error: { value: (e) => errorWritable(w, e) },
    });
    const start = algorithm(sink, 'underlyingSink', 'start', noop);
    for (const name of ['write', 'close', 'abort']) w[name] = algorithm(sink, 'underlyingSink', name, noop);
    setBackpressure(w);
    Promise.resolve(start(w.controller)).then(() => {
      w.started = true;
      advance(w);
    }, (e) => {
      w.started = true;
      onSinkError(w, e);
    });
  }

  let writableState;

  class WritableStream {
    #w;

    static {
      writableState = (v) => (isObject(v) && #w in v ? v.#w : undefined);
    }

    constructor(sink, strategy) {
      if (sink !== undefined && !isObject(sink)) throw new TypeError('underlyingSink must be an object');
      const owner = sink === undefined ? {} : sink;
      if (owner.type !== undefined) throw new RangeError("'type' is not supported by WritableStream");
      const { hwm, size } = readStrategy(strategy);
      this.#w = {
        state: 'writable', error: undefined, writer: null, queue: [], total: 0, hwm, size, started: false,
        backpressure: false, requests: [], writeInFlight: null, closeRequest: null, closeInFlight: null,
        abortRequest: null,
      };
      startWritable(this.#w, owner);
    }

    get locked() {
      return this.#w.writer !== null;
    }

    abort(reason) {
      return this.locked ? rejected('cannot abort a locked stream') : abortWritable(this.#w, reason);
    }

    close() {
      if (this.locked) return rejected('cannot close a locked stream');
      return isClosing(this.#w) ? rejected('stream is already closing') : closeWritable(this.#w);
    }

    getWriter() {
      return new WritableStreamDefaultWriter(this);
    }
  }

  class WritableStreamDefaultWriter {
    #writer;

    constructor(...args) {
      if (args.length !== 1) throw new TypeError('WritableStreamDefaultWriter takes a single argument');
      const w = writableState(args[0]);
      if (!w) throw new TypeError('WritableStreamDefaultWriter argument must be a WritableStream');
      if (w.writer !== null) throw new TypeError('stream is locked');
      const writer = (this.#writer = w.writer = { stream: w, ready: deferred(), closed: deferred() });
      if (w.state === 'erroring' || w.state === 'errored') rejectHandled(writer.ready, w.error);
      else if (w.state === 'closed' || isClosing(w) || !w.backpressure) writer.ready.resolve(undefined);
      if (w.state === 'closed') writer.closed.resolve(undefined);
      else if (w.state === 'errored') rejectHandled(writer.closed, w.error);
    }

    get closed() {
      return this.#writer.closed.promise;
    }

    get ready() {
      return this.#writer.ready.promise;
    }

    get desiredSize() {
      const w = this.#writer.stream;
      if (w === null) throw new TypeError('stream is undefined');
      if (w.state === 'errored' || w.state === 'erroring') return null;
      return w.state === 'closed' ? 0 : w.hwm - w.total;
    }

    abort(reason) {
      const w = this.#writer.stream;
      return w === null ? rejected('stream is undefined') : abortWritable(w, reason);
    }

    close() {
      const w = this.#writer.stream;
      if (w === null) return rejected('stream is undefined');
      return isClosing(w) ? rejected('stream is already closing') : closeWritable(w);
    }

    write(chunk) {
      return this.#writer.stream === null ? rejected('stream is undefined') : writeChunk(this.#writer, chunk);
    }

    releaseLock() {
      const writer = this.#writer, w = writer.stream;
      if (w === null) return;
      const e = new TypeError('writer released');
      rejectReady(writer, e);
      if (!writer.closed.pending) writer.closed = deferred();
      rejectHandled(writer.closed, e);
      w.writer = null;
      writer.stream = null;
    }
  }

  // For Blob.stream(): as in k6, the empty chunk at the end comes, too.
  const ofChunks = (next) => new ReadableStream({
    pull(c) {
      const chunk = next();
      c.enqueue(chunk);
      if (chunk === '') c.close();
    },
  });

  return { ofChunks, ReadableStream, CountQueuingStrategy, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter };
})
