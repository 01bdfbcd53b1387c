// Thresholds on web vitals: the test fails when the page paints too late.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';

export const options = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
  },
  thresholds: {
    checks: ['rate==1'],
    browser_web_vital_fcp: ['p(95) < 3000'],
    browser_web_vital_lcp: ['p(95) < 4000'],
  },
};

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(BASE_URL);
    check(await page.locator('h1').textContent(), {
      header: (text) => text === 'Looking to break out of your pizza routine?',
    });
    await page.getByRole('button', { name: 'Pizza, Please!' }).click();
    await page.locator('div#recommendations').waitFor();
  } finally {
    await page.close();
  }
}
