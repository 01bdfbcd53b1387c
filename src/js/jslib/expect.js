// What https://jslib.k6.io/expect/ and, under its former name, https://jslib.k6.io/functional/ give:
// chains of checks, each of which ends its describe() when it fails.
import Ajv from 'https://jslib.k6.io/ajv/6.12.5/index.js';
import { check, group } from 'k6';

export class FunkBrokenChainException extends Error {
    constructor(message) {
        super(message);
        this.brokenChain = true;
        this.name = 'FunkBrokenChainException';
    }
}

class Chain {
    constructor(value) {
        this.value = value;
        this.label = null;
        this.isBroken = false;
    }

    as(label) {
        this.label = label;
        return this;
    }

    and(value) {
        if (this.isBroken) return this;
        this.value = value;
        this.label = null;
        return this;
    }

    // Names of checks: their value is a tag.
    note(name, ok, value) {
        if (this.isBroken) return this;
        check(null, { [name]: ok }, value === undefined ? undefined : { value });
        if (!ok) this.break();
        return this;
    }

    break() {
        this.isBroken = true;
        throw new FunkBrokenChainException('Chain broke, skipping this check');
    }

    compare(words, ok) {
        return this.note(`${this.label || this.value} ${words}`, ok, this.value);
    }

    toEqual(expected) {
        const ok = this.value === expected;
        let name = `${this.value} is ${expected}`;
        if (this.label) name = `${this.label} is ${this.value}.${ok ? '' : ` Expected '${expected}'`}`;
        return this.note(name, ok, expected);
    }

    toBeGreaterThan(other) { return this.compare(`is greater than ${other}`, this.value > other); }
    toBeGreaterThanOrEqual(other) { return this.compare(`is greater or equal to ${other}`, this.value >= other); }
    toBeLessThan(other) { return this.compare(`is less than ${other}`, this.value < other); }
    toBeLessThanOrEqual(other) { return this.compare(`is less or equal to ${other}`, this.value <= other); }
    toBeTruthy() { return this.compare('is truthy.', !!this.value); }
    toBeBetween(from, to) { return this.compare(`is between ${from} - ${to}`, this.value >= from && this.value <= to); }

    toHaveValidJson() {
        if (this.isBroken) return this;
        if (!this.value || !this.value.request) {
            console.error("The object passed to expect/and for toHaveValidJson isn't a k6 HttpResponse. Aborting the check.");
            this.break();
        }
        let ok = true;
        try {
            this.value.json();
        } catch (e) {
            ok = false;
        }
        return this.note(`${this.value.request.url} has valid json response`, ok);
    }

    toMatchAPISchema(schema) {
        if (this.isBroken) return this;
        const validate = new Ajv().compile(schema);
        const ok = validate(this.value, schema); // the schema makes names begin with [object Object]
        const label = this.label || '';
        check(ok, { [`${label} schema validation`]: ok });
        if (!ok) {
            for (const error of validate.errors) check(null, { [`${label} ${error.dataPath} ${error.message}`]: false });
            this.break();
        }
        return this;
    }
}

// Whether all of it passed.
export function describe(name, fn) {
    let ok = true;
    group(name, () => {
        try {
            fn({ expect: (value) => new Chain(value) });
        } catch (error) {
            ok = false;
            if (error && error.brokenChain) return;
            console.error(`Exception raised in test "${name}". Failing the test and continuing. \n${error}`);
            check(null, { [`Exception raised "${error}"`]: false });
        }
    });
    return ok;
}

export default { describe };
