// What https://jslib.k6.io/kahwah/ gives: tests as steps of a flow, with a metric of errors and of durations each.
import { check, group, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

export const thresholds = {};
export const options = { thresholds };

const idOf = (title) => title.replace(/[ -]/g, '_').toLowerCase();

class Step {
    // The steps of a workflow are not run when one before them failed.
    constructor(id, title, fn, { isWorkflow = false, isSkipped = false } = {}) {
        this.id = idOf(id);
        this.title = title;
        this.workflow = isWorkflow;
        this.skip = isSkipped;
        this.fn = fn;
        this.exceptions = [];
        this.errors = new Counter(`${this.id}_errors`);
        this.durations = new Trend(`${this.id}_duration`, true);
        thresholds[`${this.id}_errors`] = ['rate==0'];
    }

    run(context) {
        if (this.skip) {
            group(`∅ ${this.title}`, () => {});
            return;
        }
        const begin = Date.now();
        group(this.title, () => {
            try {
                this.fn(context);
            } catch (error) {
                this.errors.add(1);
                this.exceptions.push(error);
            } finally {
                this.durations.add(Date.now() - begin);
            }
        });
    }
}

export class Flow {
    constructor(title) {
        this.title = title;
        this.prefix = title ? `${idOf(title)}_` : '';
        this.steps = [];
        this._contexts = [];
    }

    step(title, fn) { this._add(title, fn, { isWorkflow: true }); }
    skip(title) { this._add(title, null, { isSkipped: true }); }
    suite(title, fn) { this._add(title, fn); }

    _add(title, fn, kind) {
        this.steps.push(new Step(this.prefix + title, title, fn, kind));
    }

    // What is run now sees: what run() was given, and the step.
    get current() {
        return this._contexts[this._contexts.length - 1] || null;
    }

    run(context) {
        if (this.title) group(this.title, () => this._run(context));
        else this._run(context);
    }

    _run(context) {
        let isGoing = true;
        for (const step of this.steps) {
            if (!isGoing && step.workflow) continue;
            step.exceptions = [];
            const now = Object.freeze({ ...this.current, ...context, step });
            this._contexts.push(now);
            try {
                step.run(now);
            } finally {
                this._contexts.pop();
            }
            if (step.exceptions.length > 0) {
                isGoing = isGoing && !step.workflow;
                for (const error of step.exceptions) console.error(error);
            }
            if (now.sleep) sleep(now.sleep);
        }
    }

    it(title, fn) {
        const { step } = this.current;
        try {
            fn();
        } catch (error) {
            step.exceptions.push(error);
            step.errors.add(1);
            check(null, { [`${title} (${error})`]: false });
            return;
        }
        check(null, { [title]: true });
    }
}

const flow = new Flow();
const skip = (title) => flow.skip(title);

export const describe = Object.assign((title, fn) => flow.suite(title, fn), { skip });
export const step = Object.assign((title, fn) => flow.step(title, fn), { skip });
export const it = Object.assign((title, fn) => flow.it(title, fn), { skip: () => {} });
export const context = () => flow.current;
export default (given) => flow.run(given);
