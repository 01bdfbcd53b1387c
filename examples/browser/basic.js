// A page in a real browser: what it shows, a click, a picture of it.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';

export const options = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
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
    await page.screenshot({ path: 'screenshot.png' });
    check(await page.locator('div#recommendations').textContent(), {
      recommendation: (text) => text !== '',
    });
  } finally {
    await page.close();
  }
}
