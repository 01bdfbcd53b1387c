// Two journeys at once, each in a browser of its own.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';
const journey = (exec) => ({ executor: 'shared-iterations', options: { browser: { type: 'chromium' } }, exec });

export const options = {
  scenarios: {
    pizzaRecommendations: journey('pizzaRecommendations'),
    admin: journey('admin'),
  },
  thresholds: {
    browser_web_vital_fcp: ['p(95) < 3000'],
    browser_web_vital_lcp: ['p(95) < 4000'],
  },
};

export async function admin() {
  const page = await browser.newPage();
  try {
    await page.goto(`${BASE_URL}/admin`, { waitUntil: 'networkidle' });
    await page.getByRole('button', { name: 'Sign in' }).click();
    check(await page.getByRole('button', { name: 'Logout' }).textContent(), {
      'logout button text': (text) => text === 'Logout',
    });
  } finally {
    await page.close();
  }
}

export async function pizzaRecommendations() {
  const page = await browser.newPage();
  try {
    await page.goto(BASE_URL);
    await page.getByRole('button', { name: 'Pizza, Please!' }).click();
    await page.locator('div#recommendations').waitFor();
    check(await page.locator('div#recommendations').textContent(), {
      recommendation: (text) => text !== '',
    });
  } finally {
    await page.close();
  }
}
