// VUs with a browser beside VUs that ask the API. BROWSERS and SECONDS say how many and how long.
import { browser } from 'k6/browser';
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL, BROWSERS = Number(__ENV.BROWSERS), duration = `${__ENV.SECONDS}s`;
const browsers = { executor: 'constant-vus', vus: BROWSERS, duration, exec: 'journey', options: { browser: { type: 'chromium' } } };
const protocol = { executor: 'constant-vus', vus: 50, duration, exec: 'api' };

export const options = { scenarios: BROWSERS ? { browsers, protocol } : { protocol } };

export async function journey() {
  const page = await browser.newPage();
  try {
    await page.goto(BASE_URL);
    await page.getByRole('button', { name: 'Pizza, Please!' }).click();
    await page.locator('div#recommendations').waitFor();
    check(await page.locator('div#recommendations').textContent(), { recommendation: (text) => text !== '' });
  } finally {
    await page.close();
  }
}

export function api() {
  const res = http.post(`${BASE_URL}/api/pizza`, JSON.stringify({ maxCaloriesPerSlice: 500 }),
    { headers: { 'Content-Type': 'application/json', Authorization: 'token abcdef0123456789' } });
  check(res, { 'status is 200': (r) => r.status === 200 });
  sleep(1);
}
