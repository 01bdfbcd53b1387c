import http from 'k6/http';

export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      duration: __ENV.SECONDS + 's',
      preAllocatedVUs: 200,
    },
  },
  summaryTrendStats: ['avg', 'med', 'p(99)', 'p(99.9)', 'max'],
  summaryTimeUnit: 'us',
};

export default function () {
  http.get(__ENV.URL);
}
