// Browser contexts are like private windows: each has cookies of its own.
import { browser } from 'k6/browser';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';

export const options = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
  },
};

export default async function () {
  const withCookie = await browser.newContext();
  await withCookie.addCookies([{ name: 'FooBar', value: 123456, domain: BASE_URL, path: '/' }]);
  const page = await withCookie.newPage();
  await page.goto(BASE_URL);
  check(await withCookie.cookies(), {
    'one cookie': (cookies) => cookies.length === 1,
    'its name': (cookies) => cookies[0].name === 'FooBar',
    'its value': (cookies) => cookies[0].value === '123456',
  });
  check(await page.evaluate(() => document.cookie), {
    'the page has it': (text) => text === 'FooBar=123456',
  });
  await page.close();
  await withCookie.close();

  const another = await browser.newContext();
  const anotherPage = await another.newPage();
  await anotherPage.goto(BASE_URL);
  check(await another.cookies(), {
    'no cookie in another context': (cookies) => cookies.length === 0,
  });
  await another.close();
}
