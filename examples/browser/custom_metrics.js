// A metric of one's own from the page's performance marks: how long it took to get a pizza.
import { browser } from 'k6/browser';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';

export const options = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
  },
};

const totalActionTime = new Trend('total_action_time', true);

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto(BASE_URL);
    await page.evaluate(() => { window.performance.mark('page-visit'); });
    await page.getByRole('button', { name: 'Pizza, Please!' }).click();
    await page.locator('div#recommendations').waitFor();
    await page.evaluate(() => { window.performance.mark('recommendations-returned'); });
    check(await page.locator('div#recommendations').textContent(), {
      recommendation: (text) => text !== '',
    });
    totalActionTime.add(await page.evaluate(() =>
      window.performance.measure('total', 'page-visit', 'recommendations-returned').duration));
  } finally {
    await page.close();
  }
}
