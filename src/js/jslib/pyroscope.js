// What https://jslib.k6.io/http-instrumentation-pyroscope/ gives: requests with baggage for profiles.
import http from 'k6/http';
import exec from 'k6/execution';
import { Verbs, replaceHTTP, withHeaders } from 'https://jslib.k6.io/http-instrumentation-pyroscope/1.0.0/shared.js';

function baggageOf(url, body, params) {
    const name = params && params.tags && params.tags.name ? params.tags.name : url;
    return {
        baggage: [
            `k6.test_run_id=${__ENV.K6_CLOUDRUN_TEST_RUN_ID}`,
            `k6.scenario=${exec.scenario.name}`,
            `k6.name=${name}`,
        ],
    };
}

// A header that is there already keeps its values before the new ones.
function merge(dst, src) {
    for (const [name, values] of Object.entries(src)) dst[name] = [].concat(dst[name] || [], values);
    return dst;
}

export class Client extends Verbs {
    constructor(generateHeaders, request = http.request, asyncRequest = http.asyncRequest) {
        super();
        this.generateHeaders = generateHeaders || baggageOf;
        this._request = request;
        this._asyncRequest = asyncRequest;
    }

    request(method, url, ...args) {
        return this._request(method, url, ...withHeaders(args, this.generateHeaders(url, ...args), merge));
    }

    async asyncRequest(method, url, ...args) {
        return await this._asyncRequest(method, url, ...withHeaders(args, this.generateHeaders(url, ...args), merge));
    }
}

export function instrumentHTTP() {
    replaceHTTP(new Client());
}

export default { Client, instrumentHTTP };
