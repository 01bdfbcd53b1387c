// Two scenarios one after the other: a rate of orders that does not wait for answers, and users who each come with a
// token of their own. The summary goes to a file, too.
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';
import { check, sleep } from 'k6';
import { textSummary } from 'https://jslib.k6.io/k6-summary/0.0.2/index.js';
import { orderPizza } from './lib/pizza.js';

const tokens = new SharedArray('tokens', () => JSON.parse(open('./tokens.json')).tokens);

export const options = {
  scenarios: {
    orders: { executor: 'constant-arrival-rate', exec: 'order', rate: 20, duration: '3s', preAllocatedVUs: 5, maxVUs: 50 },
    regulars: { executor: 'per-vu-iterations', exec: 'regular', vus: 4, iterations: 2, startTime: '3s' },
  },
  thresholds: { checks: ['rate==1'], dropped_iterations: ['count<10'] },
};

export function order() {
  check(orderPizza(tokens[Math.floor(Math.random() * tokens.length)]), { 'status is 200': (r) => r.status === 200 });
}

export function regular() {
  const token = tokens[exec.vu.idInTest % tokens.length];
  check(orderPizza(token, { customName: `Number ${exec.scenario.iterationInTest}` }), {
    'has the name we gave it': (r) => r.json('pizza.name').startsWith('Number '),
  });
  sleep(0.2);
}

export function handleSummary(data) {
  return {
    [__ENV.SUMMARY || 'summary.json']: JSON.stringify(data),
    stdout: textSummary(data, { indent: ' ', enableColors: false }),
  };
}
