import { SharedArray } from 'k6/data';
import http from 'k6/http';
import { sleep } from 'k6';
import { randomItem } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';

const rows = new SharedArray('rows', function () {
  const all = [];
  for (let i = 0; i < Number(__ENV.ROWS); i++) all.push({ id: i, name: `customer ${i}`, mail: `customer${i}@example.com` });
  return all;
});

export const options = { vus: Number(__ENV.VUS), duration: __ENV.SECONDS + 's' };

export default function () {
  const row = randomItem(rows);
  http.get(__ENV.URL, { headers: { 'X-Customer': row.name } });
  if (__ITER === 0 && __VU === options.vus) console.log('the last VU runs');
  sleep(Number(__ENV.PAUSE || 1));
}
