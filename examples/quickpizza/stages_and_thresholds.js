// Load that comes and goes, limits for it, metrics of one's own; a setup() that stops when the service is down.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { BASE_URL, orderPizza } from './lib/pizza.js';
import { average } from './lib/loads.js';

const pizzas = new Counter('quickpizza_number_of_pizzas');
const ingredients = new Trend('quickpizza_ingredients');

export const options = {
  stages: average,
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<5000'],
    checks: ['rate > 0.95'],
    quickpizza_ingredients: [{ threshold: 'avg<8', abortOnFail: true, delayAbortEval: '1s' }],
  },
};

export function setup() {
  const res = http.get(BASE_URL);
  if (res.status !== 200) {
    throw new Error(`the playground answers ${res.status}: not worth a test`);
  }
}

export default function () {
  const res = orderPizza();
  check(res, { 'status is 200': (r) => r.status === 200 });
  pizzas.add(1);
  ingredients.add(res.json('pizza.ingredients').length);
  sleep(0.5);
}

export function teardown() {
  console.log('the oven is off');
}
