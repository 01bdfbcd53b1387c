// ---- 20 network: requests, responses, routes, metrics
const ABORT_REASONS = {
  aborted: 'Aborted', accessdenied: 'AccessDenied', addressunreachable: 'AddressUnreachable', blockedbyclient: 'BlockedByClient',
  blockedbyresponse: 'BlockedByResponse', connectionaborted: 'ConnectionAborted', connectionclosed: 'ConnectionClosed',
  connectionfailed: 'ConnectionFailed', connectionrefused: 'ConnectionRefused', connectionreset: 'ConnectionReset',
  internetdisconnected: 'InternetDisconnected', namenotresolved: 'NameNotResolved', timedout: 'TimedOut', failed: 'Failed',
};

function lowerKeys(h) {
  const o = {};
  for (const k of Object.keys(h || {})) o[k.toLowerCase()] = h[k];
  return o;
}
function headersSize(h) {
  let n = 4;
  for (const k of Object.keys(h || {})) n += k.length + String(h[k]).length + 4;
  return n;
}

class Request {
  constructor(page, session, e, from) {
    this.page = page;
    this.session = session;
    this.id = e.requestId;
    this.frame_ = page.frames.get(e.frameId) || null;
    this.request = e.request;
    this.type = e.type || 'Other';
    this.started = e.timestamp;
    this.wall = e.wallTime * 1000;
    this.loaderId = e.loaderId;
    this.redirectedFrom = from;
    this.response_ = null;
    this.finished = new Op();
    this.responded = new Op();
    this.extra = null;
  }
  url() { return this.request.url; }
  method() { return this.request.method; }
  resourceType() { return this.type; }
  isNavigationRequest() { return this.id === this.loaderId && this.type === 'Document'; }
  frame() { return this.frame_; }
  headers() { return lowerKeys(this.extra || this.request.headers); }
  *allHeaders() { return this.headers(); }
  *headersArray() { const h = this.extra || this.request.headers; return Object.keys(h).map((name) => ({ name, value: h[name] })); }
  *headerValue(name) {
    const v = this.headers()[String(name).toLowerCase()];
    return v === undefined ? null : v;
  }
  postData() { return this.request.postData === undefined ? null : this.request.postData; }
  postDataBuffer() {
    return this.request.postData === undefined ? null : native.decode(native.encode(this.request.postData));
  }
  size() {
    return { headers: this.request.method.length + this.request.url.length + 12 + headersSize(this.extra || this.request.headers),
      body: native.decode(native.encode(this.request.postData || '')).byteLength };
  }
  failure() { return this.failed ? { errorText: this.failed } : null; }
  *response() {
    yield this.responded;
    return this.response_;
  }
  timing() {
    const t = this.response_ && this.response_.r.timing;
    const at = (v) => v === undefined ? -1 : v;
    return { startTime: this.wall, domainLookupStart: at(t && t.dnsStart), domainLookupEnd: at(t && t.dnsEnd),
      connectStart: at(t && t.connectStart), secureConnectionStart: at(t && t.sslStart), connectEnd: at(t && t.connectEnd),
      requestStart: at(t && t.sendStart), responseStart: at(t && t.receiveHeadersEnd),
      responseEnd: this.ended && t ? (this.ended - t.requestTime) * 1000 : -1 };
  }
}

class Response {
  constructor(request, r, timestamp) {
    this.request_ = request;
    this.r = r;
    this.timestamp = timestamp;
    this.extra = null;
    this.encodedBytes = 0;
  }
  url() { return this.r.url; }
  status() { return this.r.status; }
  statusText() { return this.r.statusText; }
  ok() { return this.r.status === 0 || (this.r.status >= 200 && this.r.status <= 299); }
  request() { return this.request_; }
  frame() { return this.request_.frame_; }
  rawHeaders() { return this.extra || this.r.headers; }
  headers() { return lowerKeys(this.rawHeaders()); }
  *allHeaders() { return this.headers(); }
  *headersArray() {
    const h = this.rawHeaders();
    return Object.keys(h).flatMap((name) => h[name].split('\n').map((value) => ({ name, value })));
  }
  *headerValue(name) {
    const v = this.headers()[String(name).toLowerCase()];
    return v === undefined ? null : v.replace(/\n/g, ', ');
  }
  *headerValues(name) {
    const v = this.headers()[String(name).toLowerCase()];
    return v === undefined ? [] : v.split('\n').flatMap((x) => x.split(',')).map((x) => x.trim());
  }
  *body() {
    if (this.r.status >= 300 && this.r.status < 400)
      throw new Error('getting response body: response body is unavailable for redirect responses');
    yield this.request_.finished;
    if (!this.cached) {
      const b = yield this.request_.session.send('Network.getResponseBody', { requestId: this.request_.id });
      this.cached = native.decode(b.base64Encoded ? b.body : native.encode(b.body));
    }
    return this.cached;
  }
  *text() { return native.text(yield* this.body()); }
  *json() {
    const text = yield* this.text();
    try {
      return JSON.parse(text);
    } catch (e) {
      throw new Error(`unmarshalling response body to JSON: ${e.message}`);
    }
  }
  *size() { return { headers: headersSize(this.rawHeaders()), body: Math.max(0, this.encodedBytes - this.headBytes()) }; }
  headBytes() { return Math.min(this.encodedBytes, this.r.encodedDataLength || 0); }
  *serverAddr() { return this.r.remoteIPAddress ? { ipAddress: this.r.remoteIPAddress.replace(/[[\]]/g, ''), port: this.r.remotePort } : null; }
  *securityDetails() {
    const d = this.r.securityDetails;
    return d ? { subjectName: d.subjectName, issuer: d.issuer, validFrom: d.validFrom, validTo: d.validTo, protocol: d.protocol,
      sanList: d.sanList } : null;
  }
}

class Route {
  constructor(session, e, request) {
    this.session = session;
    this.id = e.requestId;
    this.request_ = request;
    this.isHandled = false;
  }
  request() { return this.request_; }
  claim() {
    if (this.isHandled) throw new Error('route is already handled');
    this.isHandled = true;
  }
  *abort(errorCode) {
    const code = errorCode === undefined || errorCode === '' ? 'failed' : errorCode;
    if (!ABORT_REASONS[code]) throw new Error(`unknown error code: ${code}`);
    this.claim();
    yield this.session.send('Fetch.failRequest', { requestId: this.id, errorReason: ABORT_REASONS[code] });
  }
  *continue(o) {
    o = o || {};
    this.claim();
    const p = { requestId: this.id };
    if (o.url) p.url = o.url;
    if (o.method) p.method = o.method;
    if (o.headers) p.headers = Object.keys(o.headers).map((name) => ({ name, value: String(o.headers[name]) }));
    if (o.postData !== undefined) p.postData = native.encode(o.postData);
    yield this.session.send('Fetch.continueRequest', p);
  }
  *fulfill(o) {
    o = o || {};
    for (const k of Object.keys(o))
      if (!['body', 'contentType', 'headers', 'status'].includes(k)) throw new Error(`unsupported fulfill option: '${k}'`);
    this.claim();
    const headers = Object.keys(o.headers || {}).map((name) => ({ name, value: String(o.headers[name]) }));
    if (o.contentType) headers.push({ name: 'content-type', value: o.contentType });
    const body = o.body === undefined ? '' : o.body;
    headers.push({ name: 'content-length', value: String(native.decode(native.encode(body)).byteLength) });
    yield this.session.send('Fetch.fulfillRequest', { requestId: this.id, responseCode: o.status || 200,
      responseHeaders: headers, body: native.encode(body) });
  }
}

class Network {
  constructor(page) {
    this.page = page;
    this.requests = new Map();
    this.navigations = new Map(); // loader id -> Request
    this.extraRequest = new Map();
    this.extraResponse = new Map();
    this.routes = [];
    this.profile = null;
    this.credentialsTried = new Set();
  }
  listen(s) {
    s.on('Network.requestWillBeSent', (e) => this.willBeSent(s, e));
    s.on('Network.requestWillBeSentExtraInfo', (e) => this.extra(this.extraRequest, e, (r) => r));
    s.on('Network.responseReceivedExtraInfo', (e) => this.extra(this.extraResponse, e, (r) => r.response_));
    s.on('Network.responseReceived', (e) => this.received(e));
    s.on('Network.loadingFinished', (e) => this.loaded(e));
    s.on('Network.loadingFailed', (e) => this.failed(e));
    s.on('Fetch.requestPaused', (e) => this.paused(s, e));
    s.on('Fetch.authRequired', (e) => this.authRequired(s, e));
  }
  // What was set before a session existed.
  prepare(s) {
    const o = this.page.context_.options, ops = [];
    if (Object.keys(this.headers()).length) ops.push(this.applyHeaders(s));
    if (o.offline || this.profile) ops.push(this.applyConditions(s));
    if (this.wantsFetch()) ops.push(this.update(s));
    return ops;
  }
  send(session, method, params) { return session ? session.send(method, params) : this.page.sendAll(method, params); }
  extra(into, e, holder) {
    const r = this.requests.get(e.requestId);
    const h = r && holder(r);
    if (h) h.extra = e.headers;
    else if (into.size < 1000) into.set(e.requestId, e.headers);
  }
  willBeSent(session, e) {
    if (e.request.url.startsWith('data:')) return;
    let from = null;
    if (e.redirectResponse) {
      from = this.requests.get(e.requestId);
      if (from) {
        this.respond(from, e.redirectResponse, e.timestamp);
        from.response_.encodedBytes = e.redirectResponse.encodedDataLength;
        this.finish(from, e.timestamp);
      }
    }
    const r = new Request(this.page, session, e, from);
    this.requests.set(e.requestId, r);
    const x = this.extraRequest.get(e.requestId);
    if (x) {
      r.extra = x;
      this.extraRequest.delete(e.requestId);
    }
    if (r.isNavigationRequest()) this.navigations.set(e.loaderId, r);
    this.measureRequest(r);
    this.page.emit('request', r);
  }
  respond(r, response, timestamp) {
    r.response_ = new Response(r, response, timestamp);
    const x = this.extraResponse.get(r.id);
    if (x) {
      r.response_.extra = x;
      this.extraResponse.delete(r.id);
    }
    r.responded.resolve();
    this.page.emit('response', r.response_);
  }
  received(e) {
    const r = this.requests.get(e.requestId);
    if (r) this.respond(r, e.response, e.timestamp);
  }
  finish(r, timestamp) {
    r.ended = timestamp;
    this.measureResponse(r);
    r.finished.resolve();
    this.page.emit('requestfinished', r);
  }
  loaded(e) {
    const r = this.requests.get(e.requestId);
    if (!r) return;
    this.requests.delete(e.requestId);
    if (r.response_) r.response_.encodedBytes = e.encodedDataLength;
    this.finish(r, e.timestamp);
  }
  failed(e) {
    const r = this.requests.get(e.requestId);
    if (!r) return;
    this.requests.delete(e.requestId);
    r.failed = e.errorText;
    r.ended = e.timestamp;
    r.responded.resolve();
    r.finished.resolve();
    if (!e.canceled) this.measureResponse(r);
    this.page.emit('requestfailed', r);
  }
  // ---- metrics
  urlTag(tags, url, method) {
    if (!native.hasTag('url')) return;
    const name = this.page.metricName(url, method);
    tags.push('url', name, 'name', name);
  }
  measureRequest(r) {
    const tags = [];
    if (native.hasTag('method')) tags.push('method', r.method());
    this.urlTag(tags, r.url(), r.method());
    tags.push('resource_type', r.type);
    const s = r.size();
    native.sample('browser_data_sent', s.headers + s.body, tags);
  }
  measureResponse(r) {
    const p = r.response_, tags = [];
    if (native.hasTag('method')) tags.push('method', r.method());
    this.urlTag(tags, p ? p.url() : r.url(), r.method());
    if (native.hasTag('ip')) tags.push('ip', p ? p.r.remoteIPAddress || '' : '');
    if (native.hasTag('status')) tags.push('status', String(p ? p.status() : 0));
    if (native.hasTag('proto')) tags.push('proto', p ? p.r.protocol || '' : '');
    tags.push('from_cache', String(!!(p && p.r.fromDiskCache)), 'from_prefetch_cache', String(!!(p && p.r.fromPrefetchCache)),
      'from_service_worker', String(!!(p && p.r.fromServiceWorker)), 'resource_type', r.type);
    native.sample('browser_http_req_duration', ((p ? p.timestamp : r.ended) - r.started) * 1000, tags);
    native.sample('browser_data_received', p ? Math.max(p.encodedBytes, 0) : 0, tags);
    if (!p || p.r.timing) native.sample('browser_http_req_failed', !p || p.status() < 200 || p.status() > 399 ? 1 : 0, tags);
  }
  // ---- interception
  wantsFetch() { return this.routes.length > 0 || !!this.page.context_.options.httpCredentials || native.info().blocksHosts; }
  update(session) {
    if (!this.wantsFetch()) return this.send(session, 'Fetch.disable');
    this.send(session, 'Network.setCacheDisabled', { cacheDisabled: this.routes.length > 0 });
    return this.send(session, 'Fetch.enable',
      { handleAuthRequests: !!this.page.context_.options.httpCredentials, patterns: [{ urlPattern: '*' }] });
  }
  paused(session, e) {
    const blocked = native.blockedHost(e.request.url);
    if (blocked) {
      log('warning', 'NetworkManager:onRequestPaused', `request ${e.request.method} ${e.request.url} was aborted: ${blocked}`);
      session.tell('Fetch.failRequest', { requestId: e.requestId, errorReason: 'BlockedByClient' });
      return;
    }
    const request = this.requests.get(e.networkId) || new Request(this.page, session, { requestId: e.networkId,
      frameId: e.frameId, request: e.request, type: e.resourceType, timestamp: 0, wallTime: 0 });
    for (let i = this.routes.length - 1; i >= 0; i--) {
      const { matches, handler } = this.routes[i];
      if (!callHandler(matches, e.request.url)) continue;
      this.page.callback(handler, new Route(session, e, request));
      return;
    }
    session.tell('Fetch.continueRequest', { requestId: e.requestId });
  }
  authRequired(session, e) {
    const c = this.page.context_.options.httpCredentials;
    const again = this.credentialsTried.has(e.requestId);
    this.credentialsTried.add(e.requestId);
    session.tell('Fetch.continueWithAuth', { requestId: e.requestId, authChallengeResponse:
      c && !again ? { response: 'ProvideCredentials', username: String(c.username), password: String(c.password) } : { response: again ? 'CancelAuth' : 'Default' } });
  }
  applyConditions(session) {
    const p = this.profile || { latency: 0, download: -1, upload: -1 };
    return this.send(session, 'Network.emulateNetworkConditions', { offline: !!this.page.context_.options.offline,
      latency: p.latency, downloadThroughput: p.download, uploadThroughput: p.upload });
  }
  headers() {
    const headers = {};
    for (const h of [this.page.context_.options.extraHTTPHeaders, this.page.extraHeaders])
      for (const k of Object.keys(h || {})) headers[k] = String(h[k]);
    return headers;
  }
  applyHeaders(session) { return this.send(session, 'Network.setExtraHTTPHeaders', { headers: this.headers() }); }
}
