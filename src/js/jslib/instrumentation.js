// What the two libraries of https://jslib.k6.io/ share that add headers to requests of k6/http.
import http from 'k6/http';

// The arguments behind the URL with the headers added by merge(headers there are, headers to add).
export function withHeaders(args, headers, merge) {
    if (args.length === 0) return [null, { headers }];
    if (args.length === 1) return [args[0], { headers }];
    const params = args[1] === null || args[1] === undefined ? {} : args[1];
    params.headers = merge(params.headers || {}, headers);
    return [args[0], params, ...args.slice(2)];
}

// Verbs on top of request().
export class Verbs {
    del(url, ...args) { return this.request('DELETE', url, ...args); }
    get(url, ...args) { return this.request('GET', url, null, ...args); }
    head(url, ...args) { return this.request('HEAD', url, null, ...args); }
    options(url, ...args) { return this.request('OPTIONS', url, ...args); }
    patch(url, ...args) { return this.request('PATCH', url, ...args); }
    post(url, ...args) { return this.request('POST', url, ...args); }
    put(url, ...args) { return this.request('PUT', url, ...args); }
}

// Puts the client in the place of k6/http's functions.
export function replaceHTTP(client) {
    for (const name of ['del', 'get', 'head', 'options', 'patch', 'post', 'put', 'request', 'asyncRequest']) {
        http[name] = client[name].bind(client);
    }
}
