// Errors and delays to order: what a test sees when a service behind the one it asks is slow or broken.
import http from 'k6/http';
import { check } from 'k6';
import { orderPizza } from './lib/pizza.js';

export const options = {
  vus: 2,
  iterations: 20,
  thresholds: {
    checks: ['rate==1'],
    'http_req_failed{kind:broken}': ['rate==1'],
    'http_req_failed{kind:sometimes}': ['rate<1'],
    'http_req_duration{kind:slow}': ['min>400'],
  },
};

const wishes = { customName: 'The Unlucky' };

export default function () {
  http.setResponseCallback(http.expectedStatuses(200));
  const tagged = (kind, headers) => {
    const params = { headers: { 'X-User-ID': '1', ...headers }, tags: { kind } };
    return http.post(`${__ENV.BASE_URL || 'http://localhost:3333'}/api/pizza`, JSON.stringify(wishes), params);
  };
  check(tagged('broken', { 'x-error-get-ingredients': 'out of stock' }), { 'no pizza': (r) => r.status === 500 });
  check(tagged('slow', { 'x-delay-get-ingredients': '100ms' }), { 'a late pizza': (r) => r.status === 200 });
  const unsure = tagged('sometimes', { 'x-error-get-ingredients': 'x', 'x-error-get-ingredients-percentage': '5' });
  check(unsure, { 'a pizza or none': (r) => r.status === 200 || r.status === 500 });
  check(orderPizza(), { 'all is well without': (r) => r.status === 200 });
}
