import http from 'k6/http';

export const options = { vus: 10, duration: __ENV.SECONDS + 's', insecureSkipTLSVerify: true, batchPerHost: 10 };

const requests = Array(10).fill(['GET', __ENV.URL]);

export default function () {
  http.batch(requests);
}
