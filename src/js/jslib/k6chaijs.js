// What https://jslib.k6.io/k6chaijs/ gives: Chai, whose assertions are checks of k6.
import chai from 'https://jslib.k6.io/k6chaijs/4.5.0.1/chai.js';
import { check, group } from 'k6';
import exec from 'k6/execution';

const { config, util } = chai;
const flag = (assertion, name) => util.flag(assertion, name);

Object.assign(config, {
    truncateVariableThreshold: 100, // longest text of a value
    truncateMsgThreshold: 300,
    aggregateChecks: true, // names of checks hold no values
    logFailures: false,
    exitOnError: false,
});

function shortened(text = '') {
    const most = config.truncateVariableThreshold;
    return text.length > most ? `${text.substring(0, most)}...` : text;
}

const shown = (value) => shortened(util.objDisplay(value));

// Chai's words, for a check that may pass or fail, with the expected value filled in.
function templateOf(assertion, args) {
    let text = flag(assertion, 'negate') ? args[2] : args[1];
    if (typeof text === 'function') text = text();
    text = (text || '').replace('but ', '');
    const anonymize = flag(assertion, 'anonymizeMsgFunction');
    if (anonymize) text = anonymize(text);
    return text.replace(/#\{exp\}/g, () => shown(args[3]));
}

function expectationOf(assertion, args, template) {
    const message = flag(assertion, 'message');
    const text = template
        .replace(/#\{this\}/g, () => shown(flag(assertion, 'object')))
        .replace(/#\{act\}/g, () => shown(util.getActual(assertion, args)));
    return message && !config.aggregateChecks ? `${message}: ${text}` : text;
}

function aggregateName(assertion, template) {
    const message = flag(assertion, 'message');
    return shortened(template.replace(/#\{this\}/g, () => message || '${this}').replace(/#\{act\}/g, () => '${actual}'));
}

// In the place of Chai's assert(): each assertion is a check, and a failed one throws, too.
chai.Assertion.overwriteMethod('assert', () =>
    function assert(...args) {
        const [, , , expected, given] = args;
        args[5] = !expected && !given;
        const ok = util.test(this, args);
        const template = templateOf(this, args);
        const expectation = expectationOf(this, args, template);
        check(null, { [config.aggregateChecks ? aggregateName(this, template) : expectation]: () => ok });
        if (ok) return;
        const text = shortened(expectation);
        if (config.logFailures) console.warn(text);
        if (config.exitOnError) exec.test.abort(text);
        const properties = {
            actual: util.getActual(this, args),
            expected,
            showDiff: args[5],
            operator: util.getOperator(this, args),
        };
        throw new chai.AssertionError(text, properties, config.includeStack ? chai.assert : flag(this, 'ssfi'));
    },
);

// Keeps the value (a token, a password) out of the check's name.
chai.Assertion.addMethod('anonymize', function anonymize(fn) {
    util.flag(this, 'anonymizeMsgFunction', fn || ((text) => text.replace(/#\{this\}/g, () => '<anonymized>')));
});

chai.Assertion.addMethod('validJsonBody', function validJsonBody() {
    let ok = true;
    try {
        flag(this, 'object').json('__none__');
    } catch (e) {
        ok = false;
    }
    chai.assert(ok, 'has valid json body', 'does not have a valid json body', null, null);
});

// An assertion that fails ends its describe(); what else is thrown is a failed check of its own.
function failed(error, name) {
    if (error && error.name === 'AssertionError') return false;
    console.error(`Exception raised in test "${name}". Failing the test and continuing. \n${error}`);
    check(null, { [`Exception raised "${error}"`]: () => false });
    return false;
}

// Whether all of it passed; a promise of that when fn is async.
export function describe(name, fn) {
    let result = true;
    group(name, () => {
        try {
            const value = fn();
            if (value && typeof value.then === 'function')
                result = value.then(
                    () => true,
                    (error) => failed(error, name),
                );
        } catch (error) {
            result = failed(error, name);
        }
    });
    return result;
}

export const { expect } = chai;
export default chai;
