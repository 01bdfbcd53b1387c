// What https://jslib.k6.io/k6-utils/ has had since 1.3.
import exec from 'k6/execution';
import { check as checkNow } from 'k6';
export * from 'https://jslib.k6.io/k6-utils/1.0.0/index.js';

const UNITS = { d: 86400000, h: 3600000, m: 60000, s: 1000, ms: 1 };

const isNumeric = (char) => (char >= '0' && char <= '9') || char === '.';

// Milliseconds of '1h30m', '10s', '250ms' or '250'. What is no number is passed over, unless something follows it that is
// no unit.
export function parseDuration(text) {
    if (text === null || text === undefined || text.length < 1) throw new Error('str is empty');
    const seen = {};
    let total = 0;
    let number = '';
    for (let i = 0; i < text.length; i++) {
        if (isNumeric(text[i])) number += text[i];
        const next = text[i + 1];
        if (next === undefined || isNumeric(next)) continue;
        const unit = next === 'm' && text[i + 2] === 's' ? 'ms' : next;
        if (!(unit in UNITS)) throw new Error(`${unit} is an unsupported time unit`);
        if (seen[unit]) throw new Error(`${unit} time unit is provided multiple times`);
        seen[unit] = true;
        total += unit === 'ms' ? Math.trunc(parseFloat(number)) : parseFloat(number) * UNITS[unit];
        number = '';
        i += unit.length;
    }
    return number === '' ? total : total + parseFloat(number);
}

function currentStages() {
    const name = exec.scenario.name;
    const scenario = exec.test.options.scenarios[name];
    if (!scenario) throw new Error(`the exec.test.options object doesn't contain the current scenario ${name}`);
    if (!scenario.stages)
        throw new Error(
            'only ramping-vus or ramping-arravial-rate supports stages, ' +
                'it is not possible to get a stage index on other executors.',
        );
    if (scenario.stages.length < 1) throw new Error(`the current scenario ${name} doesn't contain any stage`);
    return scenario.stages;
}

export function getCurrentStageIndex() {
    const stages = currentStages();
    const elapsed = Date.now() - exec.scenario.startTime;
    let end = 0;
    for (let i = 0; i < stages.length; i++) {
        end += parseDuration(stages[i].duration);
        if (elapsed < end) return i;
    }
    return stages.length - 1;
}

export function tagWithCurrentStageIndex() {
    exec.vu.tags.stage = getCurrentStageIndex();
}

export function tagWithCurrentStageProfile() {
    const stages = currentStages();
    const index = getCurrentStageIndex();
    const change = index < 1 ? 1 : stages[index].target - stages[index - 1].target;
    exec.vu.tags.stage_profile = change > 0 ? 'ramp-up' : change < 0 ? 'ramp-down' : 'steady';
}

// check() of k6 whose conditions may be async or give promises: then the result is a promise, too.
export function check(value, conditions, tags) {
    const names = Object.keys(conditions);
    const results = names.map((name) =>
        typeof conditions[name] === 'function' ? conditions[name](value) : conditions[name],
    );
    const note = (settled) => checkNow(value, Object.fromEntries(names.map((name, i) => [name, settled[i]])), tags);
    const isAsync = results.some((result) => result !== null && typeof result === 'object' && 'then' in result);
    return isAsync ? Promise.all(results).then(note) : note(results);
}
