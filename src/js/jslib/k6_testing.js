// What https://jslib.k6.io/k6-testing/ gives: expect() with Playwright's matchers, those of locators and pages with
// retries, and test suites.
import exec from 'k6/execution';

// ---- settings

class AssertionFailedError extends Error {
    constructor(message) {
        super(message);
        this.name = 'AssertionFailedError';
    }
}

// A hard failure aborts the test; a soft one ends the iteration or marks the test as failed.
function assertThat(condition, message, isSoft, softMode = 'throw') {
    if (condition) return;
    if (!isSoft) exec.test.abort(message);
    else if (softMode === 'fail') exec.test.fail(message);
    else throw new AssertionFailedError(message);
}

const DEFAULTS = {
    timeout: 5000, // ms in all
    interval: 100, // ms between two tries
    soft: false,
    softMode: 'fail',
    colorize: true,
    display: 'pretty',
    assertFn: assertThat,
};

const oneOf = (choices) => (name, text) => {
    const value = text.toLowerCase();
    if (!choices.includes(value)) throw new Error(`Invalid value for ${name}. Must be one of: ${choices.join(', ')}`);
    return value;
};

function nonNegative(name, text) {
    if (!text) throw new Error(`Environment variable ${name} is not set`);
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Error(`Environment variable ${name} must be a valid number, got: ${text}`);
    if (value < 0) throw new Error(`Environment variable ${name} must be a non-negative number, got: ${text}`);
    return value;
}

const ENVIRONMENT = {
    colorize: ['K6_TESTING_COLORIZE', (name, text) => text.toLowerCase() !== 'false'],
    display: ['K6_TESTING_DISPLAY', oneOf(['inline', 'pretty'])],
    timeout: ['K6_TESTING_TIMEOUT', nonNegative],
    interval: ['K6_TESTING_INTERVAL', nonNegative],
    softMode: ['K6_TESTING_SOFT_MODE', oneOf(['throw', 'fail'])],
};

// The environment wins over the script, which wins over the defaults.
function configOf(explicit) {
    const config = { ...DEFAULTS, ...explicit };
    for (const [key, [name, read]] of Object.entries(ENVIRONMENT)) {
        if (__ENV[name] !== undefined) config[key] = read(name, __ENV[name]);
    }
    return config;
}

// ---- texts of failures
// A text is a string, an array of texts, or { text, color }; a failure is a list of groups { label: text }, where a text
// may also be { items: [texts] }.

const COLORS = { black: 30, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, white: 37, darkGrey: 90,
    brightBlack: 90, brightRed: 91, brightGreen: 92, brightYellow: 93, brightBlue: 94, brightMagenta: 95, brightCyan: 96,
    brightWhite: 97, reset: 0 };

export function colorize(text, color) {
    return `\x1b[${COLORS[color]}m${text}\x1b[0m`;
}

const red = (text) => ({ text, color: 'red' });
const green = (text) => ({ text, color: 'green' });
const white = (text) => ({ text, color: 'white' });
const darkGrey = (text) => ({ text, color: 'darkGrey' });

// The innermost colour of each piece counts.
function render(text, paint, color) {
    if (typeof text === 'string') return color ? paint(text, color) : text;
    if (Array.isArray(text)) return text.map((part) => render(part, paint, color)).join('');
    return render(text.text, paint, text.color);
}

function renderPretty(groups, paint) {
    const width = Math.max(...groups.flatMap((group) => Object.keys(group)).map((label) => label.length));
    const indented = (text, indent) => render(text, paint).split('\n').join(`\n${' '.repeat(indent + 2)}`);
    const valueOf = (label, text) => {
        if (!text.items) return indented(text, width);
        const bullet = `${' '.repeat(Math.max(width - label.length + 2, 0))}- `;
        return `\n${text.items.map((item) => bullet + indented(item, 2)).join('\n')}`;
    };
    const blocks = groups.map((group) =>
        Object.entries(group).map(([label, text]) => `${label.padStart(width)}: ${valueOf(label, text)}`).join('\n'));
    return `\n\n${blocks.join('\n\n')}\n\n`;
}

function renderInline(groups) {
    const plain = (text) => text;
    const entries = ([label, text]) => {
        if (text.items) return text.items.flatMap((item) => entries([label, item]));
        const value = render(text, plain);
        return [`${label.toLowerCase().replace(/\s+/g, '_')}=${value.includes(' ') ? `"${value}"` : value}`];
    };
    return groups.flatMap((group) => Object.entries(group)).flatMap(entries).join(' ');
}

function printed(value) {
    switch (typeof value) {
        case 'undefined':
        case 'number':
        case 'symbol':
            return String(value);
        case 'bigint':
            return `${value}n`;
        case 'function':
            return `[Function: ${value.name || 'anonymous'}]`;
        default:
    }
    if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? '<invalid date>' : value.toISOString()})`;
    if (value instanceof RegExp) return value.toString();
    if (value instanceof Set) return `{${JSON.stringify(Array.from(value)).slice(1, -1)}}`;
    if (value instanceof Map) return `Map ${JSON.stringify(Object.fromEntries(value.entries()))}`;
    const maker = value instanceof Object ? value.constructor : null;
    if (maker && maker !== Object && maker !== Array && maker.name) return `${maker.name} ${JSON.stringify(value)}`;
    return JSON.stringify(value);
}

// ---- failures of matchers: { groups, message? }

class Mismatch extends Error {
    constructor(failure) {
        super(failure.message);
        this.failure = failure;
    }
}

const failureOf = (group, message) => ({ groups: [group], message });
const expectedReceived = (expected, received) =>
    failureOf({ Expected: green(printed(expected)), Received: red(printed(received)) });
const receivedOnly = (received) => failureOf({ Received: red(printed(received)) });
const states = (expected, received) => failureOf({ Expected: green(expected), Received: red(received) });
const texts = (expected, received, message) =>
    failureOf({ Expected: green(String(expected)), Received: red(received) }, message);

function typeName(value) {
    if (value instanceof Object && value.constructor !== Object) return value.constructor ? value.constructor.name : 'Object';
    return value === null ? 'null' : typeof value;
}

const wrongType = (types, received) =>
    failureOf({
        'Expected type': green(types.join(' | ')),
        'Received type': red(typeName(received)),
        'Received value': red(printed(received)),
    });

function need(condition, failure) {
    if (!condition) throw new Mismatch(failure());
}

// ---- where expect() was called

function frames() {
    const found = [];
    for (const line of new Error().stack.split('\n')) {
        const match = /^\s*at (?:.*?\()?(?:file:\/\/)?([^()]+):(\d+):(\d+)(?:\(\d+\))?\)?$/.exec(line);
        if (match) found.push({ path: match[1], line: match[2], column: match[3] });
    }
    return found;
}

const own = frames()[0].path;

function caller() {
    const frame = frames().find(({ path }) => path !== own);
    if (!frame) throw new Error('Failed to capture execution context');
    return { ...frame, at: `${frame.path}:${frame.line}:${frame.column}`, name: frame.path.split('/').pop() };
}

// ---- matchers
// matchers[name]: { parameters: names of its arguments, match(received, …arguments) }. match throws a Mismatch, or returns
// the failure of .not (or a function that makes it); `this` is { config, name }.

const matchers = {};

function define(name, parameters, match) {
    matchers[name] = { parameters, match };
}

const isObject = (value) => typeof value === 'object' && value !== null;

function isEqual(a, b) {
    if (a === b) return true;
    if (!isObject(a) || !isObject(b)) return false;
    const [keysA, keysB] = [Object.keys(a), Object.keys(b)];
    return keysA.length === keysB.length && keysA.every((key) => keysB.includes(key) && isEqual(a[key], b[key]));
}

define('toBe', ['expected'], (received, expected) => {
    const failure = () => expectedReceived(expected, received);
    need(Object.is(received, expected), failure);
    return failure;
});

define('toEqual', ['expected'], (received, expected) => {
    const failure = () => expectedReceived(expected, received);
    need(isEqual(received, expected), failure);
    return failure;
});

// Matchers of the received value alone.
for (const [name, isMatch] of Object.entries({
    toBeDefined: (value) => value !== undefined,
    toBeUndefined: (value) => value === undefined,
    toBeNull: (value) => value === null,
    toBeNaN: (value) => typeof value === 'number' && Number.isNaN(value),
    toBeTruthy: (value) => !!value,
    toBeFalsy: (value) => !value,
})) {
    define(name, [], (received) => {
        const failure = () => receivedOnly(received);
        need(isMatch(received), failure);
        return failure;
    });
}

for (const [name, [operator, isMatch]] of Object.entries({
    toBeGreaterThan: ['>', (a, b) => a > b],
    toBeGreaterThanOrEqual: ['>=', (a, b) => a >= b],
    toBeLessThan: ['<', (a, b) => a < b],
    toBeLessThanOrEqual: ['<=', (a, b) => a <= b],
})) {
    define(name, ['expected'], (received, expected) => {
        const failure = () =>
            failureOf({ Expected: green(`${operator} ${printed(expected)}`), Received: red(printed(received)) });
        need(isMatch(received, expected), failure);
        return failure;
    });
}

define('toBeCloseTo', ['expected', 'precision'], (received, expected, precision = 2) => {
    need(typeof received === 'number', () => wrongType(['number'], received));
    const most = 10 ** -precision * Math.max(Math.abs(received), Math.abs(expected));
    const difference = Math.abs(expected - received);
    const failure = () =>
        failureOf({
            'Expected precision': green(String(precision)),
            'Expected difference': ['< ', green(String(most))],
            'Received difference': red(String(difference)),
        });
    need(difference < most, failure);
    return failure;
});

function constructorName(value) {
    if (!(value instanceof Object)) return value === null ? 'null' : typeof value;
    return value.constructor && value.constructor.name !== undefined ? value.constructor.name : 'Object';
}

define('toBeInstanceOf', ['expected'], (received, expected) => {
    const failure = () =>
        failureOf({
            'Expected constructor': green(expected.name),
            'Received constructor': red(constructorName(received)),
        });
    need(received instanceof expected, failure);
    return failure;
});

const kindOf = (received) => (typeof received === 'string' ? 'string' : Array.isArray(received) ? 'array' : 'set');

function containing(received, expected, words, isFound) {
    const failure = (label) => () =>
        failureOf({ [label]: green(printed(expected)), [`Received ${kindOf(received)}`]: red(printed(received)) });
    need(isFound, failure(`Expected to contain${words}`));
    return failure(`Expected not to contain${words}`);
}

define('toContain', ['expected'], (received, expected) => {
    const isText = typeof received === 'string';
    need(isText || Array.isArray(received) || received instanceof Set, () => wrongType(['Set', 'Array', 'string'], received));
    const isFound = isText ? typeof expected === 'string' && received.includes(expected)
        : received instanceof Set ? received.has(expected) : received.includes(expected);
    return containing(received, expected, '', isFound);
});

define('toContainEqual', ['expected'], (received, expected) => {
    need(Array.isArray(received) || received instanceof Set, () => wrongType(['Array', 'Set'], received));
    return containing(received, expected, ' equal', Array.from(received).some((item) => isEqual(item, expected)));
});

define('toHaveLength', ['expected'], (received, expected) => {
    const length = typeof received === 'string' || isObject(received) ? received.length : undefined;
    need(typeof length === 'number', () => wrongType(['string', 'array', 'object'], received));
    const failure = () =>
        failureOf({
            'Expected length': green(String(expected)),
            'Received length': red(String(length)),
            'Received value': red(printed(received)),
        });
    need(length === expected, failure);
    return failure;
});

// 'a.b[2]' -> ['a', 'b', '2']
function segmentsOf(path) {
    const found = [];
    const rest = path.replace(/\[([^\]]*)\]|([^.[\]]+)|\./g, (all, index, name) => {
        if (index !== undefined || name) found.push(index !== undefined ? index : name);
        return '';
    });
    if (path === '' || rest !== '') throw new Error(`Invalid path: ${path}`);
    return found;
}

function propertyOf(object, path) {
    return segmentsOf(path).reduce((current, segment) => {
        const isIndex = !Number.isNaN(Number(segment));
        const isThere = isIndex
            ? Array.isArray(current) && Number(segment) < current.length
            : isObject(current) && Object.prototype.hasOwnProperty.call(current, segment);
        if (!isThere) throw new Error(`Property ${path} does not exist`);
        return current[segment];
    }, object);
}

define('toHaveProperty', ['keyPath', 'expected'], (received, ...args) => {
    const [keyPath, expected] = args;
    need(isObject(received), () => wrongType(['object'], received));
    const failure = (not) => () =>
        failureOf({
            'Property path': white(keyPath),
            [`Expected property ${not}to ${args.length > 1 ? 'equal' : 'exist'}`]: args.length > 1 ? green(printed(expected)) : '',
            'Received object': red(printed(received)),
        });
    let value;
    try {
        value = propertyOf(received, keyPath);
    } catch (e) {
        throw new Mismatch(failure('')());
    }
    need(expected === undefined || isEqual(value, expected), failure(''));
    return failure('not ');
});

// ---- matchers of k6/browser, tried again until they match or time is out

const hasAll = (names) => (value) => isObject(value) && names.every((name) => name in value);
const isLocator = hasAll(['click', 'fill', 'getAttribute', 'inputValue', 'isChecked', 'isVisible', 'textContent', 'waitFor']);
const isPage = hasAll(['title', 'goto', 'url', 'close', 'mainFrame', 'waitForLoadState']);

function withLog(failure, log) {
    const lines = [];
    for (const message of log) {
        const last = lines[lines.length - 1];
        if (last && last.message === message) last.count++;
        else lines.push({ message, count: 1 });
    }
    const items = lines.map(({ message, count }) => red(count === 1 ? message : [message, ' ', white(`(x${count})`)]));
    return { groups: [...failure.groups, { 'Call log': { items } }] };
}

// What is negated is tried again until it does not match.
async function retry(context, options, attempt) {
    const { timeout, interval } = { ...DEFAULTS, ...context.config, ...options };
    const log = [`expect.${context.name} with timeout ${timeout}ms`];
    const begin = Date.now();
    for (;;) {
        let failure;
        let isFound = true;
        try {
            failure = await attempt();
            if (!context.isNegated) return () => withLog(failure, log);
        } catch (error) {
            isFound = error instanceof Mismatch;
            if (isFound && context.isNegated) throw error;
            failure = isFound ? error.failure : failureOf({ Message: red('Failed to find element for locator') }, String(error));
        }
        log.push(failure.message || `assertion ${context.name} failed`);
        if (Date.now() - begin + interval > timeout) {
            const last = withLog(isFound ? failure : { groups: failure.groups }, log);
            if (context.isNegated) return () => last;
            throw new Mismatch(last);
        }
        await new Promise((resolve) => setTimeout(resolve, interval));
    }
}

// Matchers of a locator's state: the two words, and how it is asked.
async function isEmpty(locator) {
    try {
        return (await locator.inputValue()).length === 0;
    } catch (error) {
        if (!String(error).includes('Node is not an <input>, <textarea> or <select> element')) throw error;
        return ((await locator.textContent()) || '').trim().length === 0;
    }
}

for (const [name, [yes, no, ask]] of Object.entries({
    toBeChecked: ['checked', 'unchecked', (locator) => locator.isChecked()],
    toBeDisabled: ['disabled', 'enabled', (locator) => locator.isDisabled()],
    toBeEditable: ['editable', 'uneditable', (locator) => locator.isEditable()],
    toBeEmpty: ['empty', 'not empty', isEmpty],
    toBeEnabled: ['enabled', 'disabled', (locator) => locator.isEnabled()],
    toBeHidden: ['hidden', 'visible', (locator) => locator.isHidden()],
    toBeVisible: ['visible', 'hidden', (locator) => locator.isVisible()],
})) {
    define(name, ['options'], function match(received, options) {
        need(isLocator(received), () => wrongType(['Locator'], received));
        return retry(this, options, async () => {
            need(await ask(received), () => states(yes, no));
            return states(no, yes);
        });
    });
}

const normalized = (text) => text.replace(/[\u200B\u00AD]/g, '').replace(/\s+/g, ' ').trim();

// words: of a string that does not match; isMatch(received, expected) for strings.
function matchText(received, expected, { ignoreCase }, words, isMatch) {
    const text = normalized(received);
    if (expected instanceof RegExp) {
        const pattern = ignoreCase === undefined ? expected
            : new RegExp(expected.source, expected.flags.replace('i', '') + (ignoreCase ? 'i' : ''));
        need(pattern.test(text), () => texts(pattern, text, `'${text}' did not match pattern ${pattern}`));
        return texts(pattern, text);
    }
    const wanted = normalized(expected);
    const cased = (value) => (ignoreCase ? value.toLowerCase() : value);
    need(isMatch(cased(text), cased(wanted)), () => texts(wanted, text, `'${text}' did not ${words} '${wanted}'`));
    return texts(wanted, text);
}

for (const [name, words, isMatch] of [
    ['toHaveText', 'match', (text, wanted) => text === wanted],
    ['toContainText', 'contain', (text, wanted) => text.includes(wanted)],
]) {
    define(name, ['expected', 'options'], function match(received, expected, options = {}) {
        need(isLocator(received), () => receivedOnly('unknown'));
        return retry(this, options, async () => {
            const text = options.useInnerText ? await received.innerText() : await received.textContent();
            need(text !== null, () => texts(expected, '', 'Element has no text content'));
            return matchText(text, expected, options, words, isMatch);
        });
    });
}

define('toHaveTitle', ['expected', 'options'], function match(received, expected, options) {
    need(isPage(received), () => wrongType(['Page'], received));
    return retry(this, options, async () =>
        matchText(await received.title(), expected, {}, 'match', (text, wanted) => text === wanted));
});

define('toHaveValue', ['expected', 'options'], function match(received, expected, options) {
    if (typeof expected !== 'string') throw new Error('Expected value must be a string.');
    need(isLocator(received), () => wrongType(['Locator'], received));
    return retry(this, options, async () => {
        const value = await received.inputValue();
        need(value === expected, () => texts(expected, value));
        return texts(expected, value);
    });
});

define('toHaveAttribute', ['attribute', 'expectedValue'], function match(received, attribute, expected) {
    const complain = (text) => () => failureOf({ Message: red(text) });
    need(typeof attribute === 'string' && attribute.trim() !== '', complain('Attribute name must be a non-empty string'));
    need(expected === undefined || typeof expected === 'string', complain('Expected attribute value must be a string'));
    need(isLocator(received), () => receivedOnly('unknown'));
    const name = `Attribute '${attribute}'`;
    return retry(this, {}, async () => {
        const value = await received.getAttribute(attribute);
        if (expected === undefined) {
            need(value !== null, () => states(`${name} to be present`, `${name} was not present`));
            return states(`${name} to not be present`, `${name} was present`);
        }
        const had = value === null ? `${name} was not present` : `${name} had value '${value}'`;
        need(value === expected, () => states(`${name} to have value '${expected}'`, had));
        return states(`${name} to not have value '${expected}'`, had);
    });
});

// ---- expect

// An assertFn of the script's own also hears what is as expected.
function report(call, isFailed, failureOfCall) {
    const { name, args, isNegated, config, message, place } = call;
    if (!isFailed && config.assertFn === assertThat) return;
    const failure = failureOfCall();
    const parameters = matchers[name].parameters.slice(0, args.length).flatMap((text, i) => (i ? [', ', green(text)] : [green(text)]));
    const method = white(isNegated ? `not.${name}` : name);
    const head = message === undefined ? darkGrey(['expect(', red('received'), ').', method, '(', parameters, ')']) : message;
    const groups = [{ Error: head, At: darkGrey(place.at) }];
    if (failure.message !== undefined) groups.push({ Message: red(failure.message) });
    groups.push(...failure.groups, { Filename: darkGrey(place.name), Line: darkGrey(place.line) });
    const text = config.display === 'inline' ? renderInline(groups)
        : renderPretty(groups, config.colorize ? colorize : (plain) => plain);
    config.assertFn(!isFailed, text, config.soft, config.softMode);
}

function matcher(name, received, config, message, isNegated) {
    return (...args) => {
        const call = { name, args, isNegated, config, message, place: caller() };
        const passed = (failure) => report(call, isNegated, typeof failure === 'function' ? failure : () => failure);
        const failed = (error) => {
            if (!(error instanceof Mismatch)) throw error;
            report(call, !isNegated, () => error.failure);
        };
        let result;
        try {
            result = matchers[name].match.call({ config, name, isNegated }, received, ...args);
        } catch (error) {
            return failed(error);
        }
        return result instanceof Promise ? result.then(passed, failed) : passed(result);
    };
}

function expectations(received, config, message, isNegated) {
    const all = {};
    for (const name of Object.keys(matchers)) all[name] = matcher(name, received, config, message, isNegated);
    Object.defineProperty(all, 'not', { get: () => expectations(received, config, message, !isNegated) });
    return all;
}

function makeExpect(settings) {
    const config = configOf(settings);
    return Object.defineProperty(
        Object.assign((value, message) => expectations(value, config, message, false), {
            soft: (value, message) => expectations(value, { ...config, soft: true }, message, false),
            configure: makeExpect,
        }),
        'config',
        { get: () => ({ ...config }) },
    );
}

export const expect = makeExpect({});

// ---- suites

class TestCaseError extends Error {
    constructor(message) {
        super(message);
        this.detail = message;
    }
}

function relativePath(root, path) {
    if (path.startsWith(root)) return path.slice(root.length).replace(/^\//, '');
    const [from, to] = [root.split('/'), path.split('/')];
    let same = 0;
    while (same < from.length && from[same] === to[same]) same++;
    return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}

// Tests by file and group.
class TestSuite {
    constructor() {
        this._stack = [];
        this._roots = new Map();
    }

    _current() {
        if (this._stack.length > 0) return this._stack[this._stack.length - 1];
        const { path } = caller();
        if (!this._roots.has(path)) this._roots.set(path, { name: path, children: [] });
        return this._roots.get(path);
    }

    add(test) {
        this._current().children.push(test);
    }

    enterGroup(name, fn) {
        const parent = this._current();
        const group = { name, children: [] };
        this._stack.push(group);
        try {
            fn();
        } finally {
            this._stack.pop();
        }
        parent.children.push(group);
    }

    // [{ path, test }], path: the names of the file and the groups.
    _instances(group, path) {
        return group.children.flatMap((child) =>
            child.children ? this._instances(child, [...path, child.name]) : [{ path, test: child }]);
    }

    // include: a function of { path, test }, or a pattern of the path joined with ' > '.
    async run({ cwd, include = () => true, reporter } = {}) {
        const isIncluded = typeof include === 'function' ? include
            : ({ path }) => new RegExp(include).test(path.join(' > '));
        const results = [];
        for (const root of this._roots.values()) {
            const name = cwd === undefined ? root.name : relativePath(cwd, root.name);
            for (const instance of this._instances(root, [name])) {
                const result = isIncluded(instance) ? await this._execute(instance.test) : { type: 'skip', duration: 0 };
                const { duration, ...rest } = result;
                results.push({ ...rest, meta: { path: instance.path, name: instance.test.name, duration } });
                if (reporter) reporter(results[results.length - 1]);
            }
        }
        return results;
    }

    async _execute(test) {
        let [begin, result] = [Date.now(), null];
        const duration = () => Date.now() - begin;
        await test.execute(test, {
            start: () => { begin = Date.now(); },
            pass: () => { result = { type: 'pass', duration: duration() }; },
            fail: (self, error) => { result = { type: 'fail', duration: duration(), error }; },
        });
        return result;
    }

    clear() {
        this._stack = [];
        this._roots.clear();
    }
}

// createContext(options): { context, dispose? } for each test.
function testFunctions({ suite, options, createContext, mergeOptions }) {
    const test = (name, fn) =>
        suite.add({
            name,
            execute: async (self, run) => {
                const { context, dispose } = await createContext(options);
                try {
                    run.start(self);
                    await fn({ ...context, options });
                    run.pass(self);
                } catch (error) {
                    run.fail(self, error);
                } finally {
                    if (dispose) await dispose(context);
                }
            },
        });

    test.configure = (more) =>
        testFunctions({ suite, options: mergeOptions(options, more), createContext, mergeOptions }).test;

    test.extend = (child) =>
        testFunctions({
            suite,
            options: { ...options, ...child.defaultOptions },
            createContext: async (given) => {
                const contexts = [await createContext(given), await child.createContext(given)];
                return {
                    context: Object.assign({}, ...contexts.map(({ context }) => context)),
                    dispose: () => Promise.all(contexts.map(({ context, dispose }) => dispose && dispose(context))),
                };
            },
            mergeOptions: (base, more) => ({ ...mergeOptions(base, more), ...child.mergeOptions(base, more) }),
        });

    return { test, it: test, describe: (name, fn) => suite.enterGroup(name, fn) };
}

export function createTestSuite({ expect: settings } = {}) {
    const suite = new TestSuite();
    const assertFn = (condition, message) => {
        if (!condition) throw new TestCaseError(message);
    };
    return {
        suite,
        ...testFunctions({
            suite,
            options: { expect: settings },
            mergeOptions: (base, more) => ({ ...base, expect: { ...base.expect, ...more.expect } }),
            createContext: (options) => ({ context: { expect: makeExpect({ ...options.expect, assertFn }) } }),
        }),
    };
}
