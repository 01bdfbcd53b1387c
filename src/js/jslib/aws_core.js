// What https://jslib.k6.io/aws/ has in all of its files: configuration, errors, Signature Version 4 and the base of
// the clients.
import http from 'k6/http';
import { hmac, sha256 } from 'k6/crypto';
import { parseHTML } from 'k6/html';

// ---- endpoints and configuration

export class Endpoint {
    constructor(endpoint) {
        this.href = endpoint;
    }

    get href() { return `${this.protocol}://${this.host}`; }
    set href(text) {
        const [, protocol = 'https', host] = /^(?:(https?):\/\/)?([^/]*)/.exec(text);
        this.protocol = protocol;
        this.host = host;
    }

    get host() { return this.port ? `${this.hostname}:${this.port}` : this.hostname; }
    set host(text) {
        const [hostname, port] = text.split(':');
        this.hostname = hostname;
        this.port = port ? parseInt(port, 10) : undefined;
    }

    copy() { return new Endpoint(this.href); }
}

export class InvalidAWSConfigError extends Error {}

function needConfig(condition, what, why) {
    if (!condition) throw new InvalidAWSConfigError(`invalid AWS ${what}; reason: ${why}`);
}

export class AWSConfig {
    constructor({ region, accessKeyId, secretAccessKey, sessionToken, endpoint, scheme }) {
        needConfig(region, 'region', `expected a valid AWS region name (e.g. "us-east-1"), got \`${region}\``);
        needConfig(accessKeyId, 'access key ID', `expected a non empty string, got \`${accessKeyId}\``);
        const { length } = accessKeyId;
        needConfig(length >= 16 && (length <= 128 || sessionToken === undefined), 'access key ID',
            `size should be between 16 and 128 characters, got ${length}`);
        needConfig(secretAccessKey, 'secret access key', `expected a non empty string, got \`${secretAccessKey}\``);
        Object.assign(this, { region, accessKeyId, secretAccessKey });
        if (sessionToken !== undefined) this.sessionToken = sessionToken;
        if (endpoint === undefined) return;
        const hasScheme = typeof endpoint !== 'string' || /^https?:\/\//.test(endpoint);
        this.endpoint = typeof endpoint === 'string' ? new Endpoint(hasScheme || !scheme ? endpoint : `${scheme}://${endpoint}`) : endpoint;
    }

    static fromEnvironment(options = {}) {
        return new AWSConfig({
            region: __ENV.AWS_REGION,
            accessKeyId: __ENV.AWS_ACCESS_KEY_ID,
            secretAccessKey: __ENV.AWS_SECRET_ACCESS_KEY,
            sessionToken: __ENV.AWS_SESSION_TOKEN,
            ...options,
        });
    }
}

// ---- errors

export class AWSError extends Error {
    constructor(message, code) {
        super(message);
        this.name = 'AWSError';
        this.code = code;
    }

    static parseXML(text) {
        const doc = parseHTML(text);
        return new AWSError(doc.find('Message').text(), doc.find('Code').text());
    }

    static parse(response) {
        if (response.headers['Content-Type'] !== 'application/json') return AWSError.parseXML(response.body);
        const error = response.json() || {};
        return new AWSError(
            error.Message || error.message || error.__type || 'An error occurred on the server side',
            response.headers['X-Amzn-Errortype'] || error.__type,
        );
    }
}

export class InvalidSignatureError extends AWSError {
    constructor(message, code) {
        super(message, code);
        this.name = 'InvalidSignatureError';
    }
}

// An error that a service answered with.
export class ServiceError extends AWSError {
    constructor(name, message, code, operation) {
        super(message, code);
        this.name = name;
        this.operation = operation;
    }
}

export class NetworkError extends Error {
    constructor(name, code) {
        super(NETWORK_ERRORS[code] ? NETWORK_ERRORS[code][1] : 'An unknown error occurred');
        this.name = name;
        this.code = code;
    }
}

const networkError = (name) =>
    class extends NetworkError {
        constructor(code) {
            super(name, code);
        }
    };
export const GeneralError = networkError('GeneralError');
export const DNSError = networkError('DNSError');
export const TCPError = networkError('TCPError');
export const TLSError = networkError('TLSError');
export const HTTP2Error = networkError('HTTP2Error');

// k6's error codes of which no service knows.
const NETWORK_ERRORS = {
    1000: [GeneralError, 'a generic error'],
    1010: [GeneralError, 'a network error that is none of TCP'],
    1020: [GeneralError, 'the URL is invalid'],
    1050: [GeneralError, 'the request timed out'],
    1100: [DNSError, 'a generic DNS error'],
    1101: [DNSError, 'the host has no IP address'],
    1110: [DNSError, 'the IP address is in blacklistIPs'],
    1111: [DNSError, 'the host is in blockHostnames'],
    1200: [TCPError, 'a generic TCP error'],
    1201: [TCPError, 'broken pipe: the other side has probably closed the connection'],
    1202: [TCPError, 'an unknown TCP error'],
    1210: [TCPError, 'the connection cannot be made'],
    1211: [TCPError, 'the connection timed out'],
    1212: [TCPError, 'the connection was refused'],
    1213: [TCPError, 'the connection failed with an unknown error'],
    1220: [TCPError, 'the connection was reset by the other side'],
    1300: [TLSError, 'a generic TLS error'],
    1310: [TLSError, 'the issuer of the certificate is unknown'],
    1311: [TLSError, 'the certificate does not match the host name'],
    1600: [HTTP2Error, 'a generic HTTP/2 error'],
    1610: [HTTP2Error, 'a generic GOAWAY of HTTP/2'],
};

// ---- Signature Version 4

export const AMZ_CONTENT_SHA256_HEADER = 'x-amz-content-sha256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MOST_SECONDS = 7 * 24 * 3600;
const GENERATED = ['authorization', 'x-amz-date', 'date'];
const UNSIGNABLE = ['authorization', 'cache-control', 'connection', 'expect', 'from', 'keep-alive', 'max-forwards', 'pragma',
    'referer', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'user-agent', 'x-amzn-trace-id'];

const escaped = (text) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function queryText(query) {
    const pairs = [];
    for (const key of Object.keys(query).sort()) {
        const value = query[key];
        if (Array.isArray(value)) pairs.push(...[...value].sort().map((each) => [key, each]));
        else if (typeof value === 'string') pairs.push([key, value]);
    }
    return pairs.map(([key, value]) => `${escaped(key)}=${escaped(value)}`).join('&');
}

function dateOf(time) {
    const date = typeof time === 'number' || Number(time) > 0 && typeof time === 'string' ? new Date(Number(time) * 1000) : new Date(time);
    return date.toISOString().replace(/[-:]|\.\d{3}/g, '');
}

const endpointOf = (request) => request.endpoint || new Endpoint(`${request.protocol || 'https'}://${request.hostname}`);

function urlOf(request) {
    const path = request.path || '';
    const query = request.query ? `?${queryText(request.query)}` : '';
    return `${endpointOf(request).href}${path && !path.startsWith('/') ? '/' : ''}${path}${query}`;
}

function payloadHash({ headers, body }) {
    if (headers[AMZ_CONTENT_SHA256_HEADER]) return headers[AMZ_CONTENT_SHA256_HEADER];
    const data = ArrayBuffer.isView(body) ? body.buffer : body || '';
    return typeof data === 'string' || data instanceof ArrayBuffer ? sha256(data, 'hex') : UNSIGNED_PAYLOAD;
}

// Headers to be signed, in lower case and sorted.
function canonicalHeaders(headers, { unsignableHeaders = new Set(), signableHeaders = new Set() }) {
    const found = [];
    for (const name of Object.keys(headers)) {
        const lower = name.toLowerCase();
        const isLeftOut = (UNSIGNABLE.includes(lower) || unsignableHeaders.has(lower)) && !signableHeaders.has(lower);
        if (isLeftOut || typeof headers[name] !== 'string') continue;
        headers[name] = headers[name].trim().replace(/\s+/g, ' ');
        found.push([lower, headers[name]]);
    }
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

export class SignatureV4 {
    constructor({ service, region, credentials, uriEscapePath = true, applyChecksum = true }) {
        Object.assign(this, { service, region, credentials, uriEscapePath, applyChecksum });
    }

    // Adds the signature to the headers of the request and gives it with its URL.
    sign(request, options = {}) {
        const scope = this._scope(options);
        const { headers } = request;
        if (!headers.host) headers.host = endpointOf(request).hostname;
        for (const name of Object.keys(headers)) if (GENERATED.includes(name.toLowerCase())) delete headers[name];
        headers['x-amz-date'] = scope.time;
        if (this.credentials.sessionToken) headers['x-amz-security-token'] = this.credentials.sessionToken;
        request.body = ArrayBuffer.isView(request.body) ? request.body.buffer : request.body || '';
        const hash = payloadHash(request);
        const hasHash = Object.keys(headers).some((name) => name.toLowerCase() === AMZ_CONTENT_SHA256_HEADER);
        if (!hasHash && this.applyChecksum) headers[AMZ_CONTENT_SHA256_HEADER] = hash;
        const signed = canonicalHeaders(headers, options);
        const signature = this._signature(request, signed, hash, scope);
        const names = signed.map(([name]) => name).join(';');
        headers.authorization =
            `${ALGORITHM} Credential=${this.credentials.accessKeyId}/${scope.text}, SignedHeaders=${names}, Signature=${signature}`;
        return { url: urlOf(request), ...request };
    }

    // Gives the request with a URL that holds the signature.
    presign(original, options = {}) {
        const { expiresIn = 3600, unhoistableHeaders = new Set() } = options;
        if (expiresIn > MOST_SECONDS)
            throw new InvalidSignatureError("Signature version 4 presigned URLs can't be valid for more than 7 days");
        const scope = this._scope(options);
        const endpoint = endpointOf(original);
        const request = { ...original, endpoint, headers: { ...original.headers }, query: { ...original.query } };
        const { headers, query } = request;
        for (const name of Object.keys(headers)) {
            const lower = name.toLowerCase();
            if (!lower.startsWith('x-amz-') || unhoistableHeaders.has(lower)) continue;
            query[name] = headers[name];
            delete headers[name];
        }
        if (!headers.host) headers.host = endpoint.hostname;
        if (this.credentials.sessionToken) query['X-Amz-Security-Token'] = this.credentials.sessionToken;
        Object.assign(query, {
            'X-Amz-Algorithm': ALGORITHM,
            'X-Amz-Credential': `${this.credentials.accessKeyId}/${scope.text}`,
            'X-Amz-Date': scope.time,
            'X-Amz-Expires': String(expiresIn),
        });
        const signed = canonicalHeaders(headers, options);
        query['X-Amz-SignedHeaders'] = signed.map(([name]) => name).join(';');
        query['X-Amz-Signature'] = this._signature(request, signed, payloadHash(original), scope);
        return { url: urlOf(request), ...request };
    }

    _scope({ signingDate = new Date(), signingRegion, signingService }) {
        const time = dateOf(signingDate);
        const parts = [time.slice(0, 8), signingRegion || this.region, signingService || this.service, 'aws4_request'];
        return { time, parts, text: parts.join('/') };
    }

    _signature(request, signed, hash, scope) {
        const canonical = [
            request.method,
            this._canonicalPath(request.path),
            queryText(request.query || {}),
            ...signed.map(([name, value]) => `${name}:${value}`),
            '',
            signed.map(([name]) => name).join(';'),
            hash,
        ].join('\n');
        let key = `AWS4${this.credentials.secretAccessKey}`;
        for (const part of scope.parts) key = hmac('sha256', key, part, 'binary');
        return hmac('sha256', key, [ALGORITHM, scope.time, scope.text, sha256(canonical, 'hex')].join('\n'), 'hex');
    }

    // S3 takes the path as it is; others want it without dots and encoded once more.
    _canonicalPath(path) {
        if (!this.uriEscapePath) return path;
        const segments = [];
        for (const segment of path.split('/')) {
            if (segment === '..') segments.pop();
            else if (segment !== '' && segment !== '.') segments.push(segment);
        }
        const tail = segments.length > 0 && path.endsWith('/') ? '/' : '';
        return encodeURIComponent(`${path.startsWith('/') ? '/' : ''}${segments.join('/')}${tail}`).replace(/%2F/g, '/');
    }
}

// ---- clients

export class AWSClient {
    constructor(awsConfig, serviceName, signing) {
        this.awsConfig = awsConfig;
        this.serviceName = serviceName;
        this.baseRequestParams = { responseType: 'text' }; // also with discardResponseBodies
        this.endpoint = awsConfig.endpoint || new Endpoint(`https://${serviceName}.${awsConfig.region}.amazonaws.com`);
        const { accessKeyId, secretAccessKey, sessionToken, region } = awsConfig;
        this.signature = new SignatureV4({
            service: serviceName,
            region,
            credentials: { accessKeyId, secretAccessKey, sessionToken },
            ...signing,
        });
    }

    async send(request, operation, params) {
        const signed = this.signature.sign({ endpoint: this.endpoint, headers: {}, ...request });
        const response = await http.asyncRequest(signed.method, signed.url, signed.body || null, {
            ...this.baseRequestParams,
            headers: signed.headers,
            ...params,
        });
        this.handleError(response, operation);
        return response;
    }

    // False when all is well; throws what no service has said.
    handleError(response) {
        const { status, error_code: code, error } = response;
        if (status >= 200 && status < 300 && error === '' && code === 0) return false;
        if (NETWORK_ERRORS[code]) throw new NETWORK_ERRORS[code][0](code);
        return true;
    }
}
