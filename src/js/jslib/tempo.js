// What https://jslib.k6.io/http-instrumentation-tempo/ gives: requests that carry a trace's context.
import http from 'k6/http';
import exec from 'k6/execution';
import { randomBytes } from 'k6/crypto';
import { Verbs, replaceHTTP, withHeaders } from 'https://jslib.k6.io/http-instrumentation-tempo/1.0.0/shared.js';

const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const randomHex = (digits) => hexOf(new Uint8Array(randomBytes(digits / 2)));

const propagators = {
    w3c: (trace, isSampled) => ({ traceparent: `00-${trace}-${randomHex(16)}-${isSampled ? '01' : '00'}` }),
    jaeger: (trace, isSampled) => ({ 'uber-trace-id': `${trace}:${randomHex(8)}:0:${isSampled ? '1' : '0'}` }),
};

// k6's form: "dc0718", the time in nanoseconds, random digits.
function newTraceID() {
    const head = `dc0718${(BigInt(Date.now()) * 1000000n).toString(16)}`;
    return head + randomHex(32 - head.length + (head.length % 2)).slice(head.length % 2);
}

function newSampler(rate = 1) {
    if (rate < 0 || rate > 1) throw 'sampling rate must be between 0.0 and 1.0';
    return () => rate === 1 || Math.random() < rate;
}

const merge = (dst, src) => Object.assign(dst, src);

export class Client extends Verbs {
    constructor(options, request = http.request, asyncRequest = http.asyncRequest) {
        super();
        this.configure(options);
        this._request = request;
        this._asyncRequest = asyncRequest;
    }

    configure(options) {
        this._isSampled = newSampler(options.sampling);
        this._propagate = propagators[options.propagator];
        if (!this._propagate) throw `unknown propagator: ${options.propagator}`;
    }

    request(method, url, ...args) {
        return this._traced(this._request, method, url, args);
    }

    async asyncRequest(method, url, ...args) {
        return await this._traced(this._asyncRequest, method, url, args);
    }

    // The trace's id goes with the samples of the request.
    _traced(send, method, url, args) {
        const trace = newTraceID();
        const headers = this._propagate(trace, this._isSampled());
        const { metadata } = exec.vu.metrics;
        try {
            metadata.trace_id = trace;
            return send(method, url, ...withHeaders(args, headers, merge));
        } finally {
            delete metadata.trace_id;
        }
    }
}

export function instrumentHTTP(options) {
    replaceHTTP(new Client(options));
}

export default { Client, instrumentHTTP };
