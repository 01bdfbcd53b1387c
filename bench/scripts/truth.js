import http from 'k6/http';
import { sleep } from 'k6';
import { Trend } from 'k6/metrics';

// What a script sees that takes the time itself.
const seen = new Trend('seen_by_script', true);

export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      duration: __ENV.SECONDS + 's',
      preAllocatedVUs: Number(__ENV.VUS),
    },
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'p(99.9)'],
  summaryTimeUnit: 'us',
};

if (__ENV.BURN) {
  options.scenarios.burn = { executor: 'constant-vus', vus: 1, duration: __ENV.SECONDS + 's', exec: 'burn', gracefulStop: '1s' };
}

export default function () {
  const begin = performance.now();
  http.get(__ENV.URL);
  seen.add(performance.now() - begin);
}

// A quarter of one processor.
export function burn() {
  const end = performance.now() + 5;
  while (performance.now() < end);
  sleep(0.015);
}
