// A trace id with every request, so that traces of the service lead back to the test.
import http from 'k6/http';
import { check } from 'k6';
import tracing from 'https://jslib.k6.io/http-instrumentation-tempo/1.0.0/index.js';
import { BASE_URL, orderPizza } from './lib/pizza.js';

export const options = { vus: 2, iterations: 4, thresholds: { checks: ['rate==1'] } };

tracing.instrumentHTTP({ propagator: 'w3c' });

export default function () {
  check(orderPizza(undefined, {}, { baggage: 'k6_request=true' }), { 'status is 200': (r) => r.status === 200 });
  // the playground can show what it was sent
  const sent = http.get(`${BASE_URL}/api/headers`).json('headers');
  check(sent, { 'with a W3C trace context': (h) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(h.Traceparent) });
}
