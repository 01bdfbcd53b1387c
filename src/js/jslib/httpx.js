// What https://jslib.k6.io/httpx/ gives: sessions of k6/http with a base URL, headers, tags and other
// params of their own.
import http from 'k6/http';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

// What http.url`…` gives.
const isNamedURL = (url) =>
    url !== null && typeof url === 'object' && 'name' in url && 'url' in url && 'clean_url' in url;

// The later params win; headers and tags of both are kept.
function merged(first, second) {
    const [a, b] = [first || {}, second || {}];
    return { ...a, ...b, headers: { ...a.headers, ...b.headers }, tags: { ...a.tags, ...b.tags } };
}

// A request for batch() and execute().
export class Request {
    constructor(method, url, params) {
        const { body, ...rest } = params || {};
        this.method = method;
        this.url = isNamedURL(url) ? url.url : url;
        this.body = body || null;
        this.params = rest;
        if (isNamedURL(url)) this.addTag('name', url.name);
    }

    addHeader(name, value) {
        this.params.headers = { ...this.params.headers, [name]: value };
        return this;
    }

    addTag(name, value) {
        this.params.tags = { ...this.params.tags, [name]: value };
        return this;
    }
}

const requestClass = (method) =>
    class extends Request {
        constructor(url, params) {
            super(method, url, params);
        }
    };

export const Get = requestClass('GET');
export const Head = requestClass('HEAD');
export const Post = requestClass('POST');
export const Put = requestClass('PUT');
export const Delete = requestClass('DELETE');
export const Connect = requestClass('CONNECT');
export const Options = requestClass('OPTIONS');
export const Trace = requestClass('TRACE');
export const Patch = requestClass('PATCH');

const isSuccess = (response) => response.status >= 200 && response.status <= 399;

export class Httpx {
    constructor(options = {}) {
        const { baseURL = '', errorMetricCondition = isSuccess, errorMetric = null, headers = {}, tags = {}, ...params } = options;
        this.k6params = { headers, tags, ...params };
        this.baseURL = baseURL;
        this.lastRequest = { responseObject: null, responseChainDuration: null };
        this.errorMetric = errorMetric;
        this.errorMetricCondition = errorMetricCondition;
    }

    get lastRequestChainDuration() {
        return this.lastRequest.responseChainDuration;
    }

    setBaseUrl(baseURL) { this.baseURL = baseURL; }
    addHeaders(headers) { Object.assign(this.k6params.headers, headers); }
    addHeader(name, value) { this.k6params.headers[name] = value; }
    addTags(tags) { Object.assign(this.k6params.tags, tags); }
    addTag(name, value) { this.k6params.tags[name] = value; }
    clearTag(name) { delete this.k6params.tags[name]; }
    clearHeader(name) { delete this.k6params.headers[name]; }

    validateMethod(method) {
        if (!METHODS.includes(method)) throw new Error(`Invalid method: ${method}. Expected one of ${METHODS}`);
    }

    execute(request) {
        return this.request(request.method, request.url, request.body, request.params);
    }

    request(method, url, body, params) {
        if (arguments.length < 2)
            throw new Error('Invalid number of arguments for request(). Provide at least Method and URL.');
        const [to, session] = this._prepare(method, url, params);
        const begin = Date.now();
        const response = http.request(method, to, body, session);
        if (this.errorMetric) this.errorMetric.add(!(session.expect || this.errorMetricCondition)(response));
        this.lastRequest = { responseObject: response, responseChainDuration: Date.now() - begin };
        return response;
    }

    asyncRequest(method, url, body, params) {
        if (arguments.length < 2)
            throw new Error('Invalid number of arguments for asyncRequest(). Provide at least Method and URL.');
        const [to, session] = this._prepare(method, url, params);
        return http.asyncRequest(method, to, body, session);
    }

    // requests: arrays [method, url, body, params] or objects of the class Request.
    batch(requests, sharedParams) {
        const all = [];
        for (const request of requests) {
            const isArray = Array.isArray(request);
            if (!isArray && !(request instanceof Request)) continue;
            const [method, url, body, params] = isArray ? request : [request.method, request.url, request.body, request.params];
            all.push([method, this.baseURL + url, body || null, merged(this.k6params, merged(sharedParams, params))]);
        }
        const begin = Date.now();
        const responses = http.batch(all);
        this.lastRequest = { responseObject: responses, responseChainDuration: Date.now() - begin };
        return responses;
    }

    // [URL, params]; an absolute URL overrides the base URL.
    _prepare(method, url, params) {
        this.validateMethod(method);
        const session = merged(this.k6params, params);
        if (isNamedURL(url)) {
            session.tags.name = url.name;
            url = url.url;
        }
        return [url.startsWith('http') ? url : this.baseURL + url, session];
    }
}

// get(url, body, params) … and asyncGet(url, body, params) …
for (const method of METHODS) {
    const name = method.toLowerCase();
    Httpx.prototype[name] = function send(url, body, params) {
        return this.request(method, url, body, params);
    };
    Httpx.prototype[`async${method[0]}${name.slice(1)}`] = function send(url, body, params) {
        return this.asyncRequest(method, url, body, params);
    };
}
