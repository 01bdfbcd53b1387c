import http from 'k6/http';
import { sleep } from 'k6';

export const options = { vus: Number(__ENV.VUS), duration: __ENV.SECONDS + 's' };

export default function () {
  http.get(__ENV.URL);
  if (__ITER === 0 && __VU === options.vus) console.log('the last VU runs');
  sleep(Number(__ENV.PAUSE || 1));
}
