import http from 'k6/http';

export const options = { vus: 50, duration: __ENV.SECONDS + 's', insecureSkipTLSVerify: true };

export default function () {
  http.get(__ENV.URL);
}
