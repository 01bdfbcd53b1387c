// Browser contexts: what their options and members do. SITE is the server of test_browser.py, CDP the URL of a running browser.
import { browser, chromium } from 'k6/browser';
import { covers, equal, eventually, fails, match, report, scenario, test, watch } from './harness.js';

export const options = { ...scenario(), hosts: { 'pizza.test': __ENV.SITE.slice(7) }, blockHostnames: ['blocked.test'], insecureSkipTLSVerify: true };
const SITE = __ENV.SITE;

export default async function () {
  watch(browser, 'Browser');
  watch(chromium, 'BrowserType');
  // f with a page of a context with these options
  const within = async (o, f) => {
    const context = await browser.newContext(o), page = await context.newPage();
    try {
      await f(page, context);
    } finally {
      await context.close();
    }
  };
  const headers = async (page) => (await page.goto(`${SITE}/headers`)).json();

  await test('one context at a time', async () => {
    equal(browser.context(), null);
    await fails('cannot close context as none is active in browser', () => browser.closeContext());
    const page = await browser.newPage();
    await fails('existing browser context must be closed before creating a new one', () => browser.newPage());
    await fails('existing browser context must be closed before creating a new one', () => browser.newContext());
    await browser.closeContext();
    equal([browser.context(), page.isClosed(), browser.isConnected()], [null, true, true]);
    await fails(/^clicking on "a": target closed/, () => page.click('a', { timeout: 100 }));
  });
  await test('cookies are added, filtered, cleared', async () => {
    await within({}, async (page, context) => {
      await context.addCookies([{ name: 'a', value: '1', url: SITE }, { name: 'b', value: '2', domain: 'x.test', path: '/p', sameSite: 'Lax', httpOnly: true }]);
      await page.goto(`${SITE}/cookie`);
      equal((await headers(page)).cookie, 'a=1; from=server');
      equal((await context.cookies()).length, 3);
      equal((await context.cookies('http://x.test/p/q')).map((c) => [c.name, c.httpOnly, c.sameSite]), [['b', true, 'Lax']]);
      equal((await context.cookies(SITE, 'http://y.test')).length, 2);
      await context.clearCookies();
      equal(await context.cookies(), []);
      await fails(/^cookie name must be set/, () => context.addCookies([{ value: 'v' }]));
      await fails(/^cookie value must be set/, () => context.addCookies([{ name: 'n' }]));
      await fails(/^if cookie URL is not provided, both domain and path must be specified/, () => context.addCookies([{ name: 'n', value: 'v' }]));
      await fails('no cookies provided', () => context.addCookies([]));
    });
  });
  await test('init scripts run before the page, k6 is known there', async () => {
    await within({}, async (page, context) => {
      await context.addInitScript('window.first = 1');
      await context.addInitScript({ content: 'window.second = 2' });
      await context.addInitScript(() => { window.third = 3; });
      await page.goto(`${SITE}/page?1`);
      equal(await page.evaluate(() => [window.first, window.second, window.third, typeof window.k6.testRunId]), [1, 2, 3, 'string']);
    });
  });
  await test('geolocation and permissions', async () => {
    await within({ permissions: ['geolocation'], geolocation: { latitude: 48.5, longitude: 9.5, accuracy: 10 } }, async (page, context) => {
      const where = () => page.evaluate(() => new Promise((done) => navigator.geolocation.getCurrentPosition((p) => done([p.coords.latitude, p.coords.accuracy]), (e) => done(e.code))));
      await page.goto(`${SITE}/page?1`);
      equal(await where(), [48.5, 10]);
      await context.setGeolocation({ latitude: -1, longitude: 2 });
      equal((await where())[0], -1);
      await fails('invalid latitude "91.00": precondition -90 <= LATITUDE <= 90 failed', () => context.setGeolocation({ latitude: 91, longitude: 0 }));
      const state = (name) => page.evaluate(async (n) => (await navigator.permissions.query({ name: n })).state, name);
      await context.clearPermissions();
      equal(await state('geolocation') === 'granted', false);
      await context.grantPermissions(['geolocation'], { origin: SITE });
      equal(await state('geolocation'), 'granted');
      await fails('"nope" is an invalid permission', () => context.grantPermissions(['nope']));
    });
  });
  await test('HTTP credentials, of the options and set later', async () => {
    const status = async (page) => (await page.goto(`${SITE}/private`)).status();
    await within({ httpCredentials: { username: 'ann', password: 'secret' } }, async (page) => equal(await status(page), 200));
    await within({ httpCredentials: { username: 'ann', password: 'wrong' } }, async (page) => equal(await status(page), 401));
    await within({}, async (page, context) => {
      await fails(/net::ERR_INVALID_AUTH_CREDENTIALS$/, () => status(page));
      await context.setHTTPCredentials({ username: 'ann', password: 'secret' });
      equal(await status(page), 200);
    });
  });
  await test('offline and on again', async () => {
    await within({ offline: true }, async (page, context) => {
      await fails(/net::ERR_INTERNET_DISCONNECTED$/, () => page.goto(SITE));
      await context.setOffline(false);
      equal((await page.goto(`${SITE}/page?1`)).status(), 200);
      await context.setOffline(true);
      await fails(/net::ERR_INTERNET_DISCONNECTED$/, () => page.goto(SITE));
    });
  });
  await test('a proxy', async () => {
    await within({ proxy: { server: SITE } }, async (page) => {
      await page.goto('http://site.test/x');
      equal(await page.textContent('body'), 'proxied http://site.test/x');
    });
    await fails('parsing browser.newContext options: proxy.server must be set', () => browser.newContext({ proxy: { bypass: 'x' } }));
    await fails('parsing browser.newPage options: proxy.server must be set', () => browser.newPage({ proxy: { bypass: 'x' } }));
  });
  await test('javaScriptEnabled false', async () => {
    await within({ javaScriptEnabled: false }, async (page) => {
      await page.goto(`${SITE}/worker`);
      equal(await page.title(), 'worker');
      equal(page.workers(), []);
    });
  });
  await test('what a device is: viewport, scale, touch, user agent, locale, time zone, colours', async () => {
    await within({ viewport: { width: 390, height: 700 }, screen: { width: 400, height: 800 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true,
      userAgent: 'pizza/1', locale: 'fi-FI', timezoneID: 'Asia/Tokyo', colorScheme: 'dark', reducedMotion: 'reduce' }, async (page) => {
      const h = await headers(page);
      equal([h['user-agent'], h['accept-language']], ['pizza/1', 'fi-FI']);
      await page.goto(`${SITE}/page?1`);
      equal(await page.evaluate(() => [screen.width, devicePixelRatio, navigator.maxTouchPoints > 0, navigator.userAgent, navigator.language,
        Intl.DateTimeFormat().resolvedOptions().timeZone, matchMedia('(prefers-color-scheme: dark)').matches,
        matchMedia('(prefers-reduced-motion: reduce)').matches]), [400, 2, true, 'pizza/1', 'fi-FI', 'Asia/Tokyo', true, true]);
      equal(page.viewportSize(), { width: 390, height: 700 });
    });
    await within({ viewport: null }, async (page) => equal(page.viewportSize(), null));
  });
  await test('bypassCSP and extraHTTPHeaders', async () => {
    const run = (page) => page.evaluate(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.head.append(s); return window.ran; });
    await within({}, async (page) => { await page.goto(`${SITE}/csp`); equal(await run(page), undefined); });
    await within({ bypassCSP: true, extraHTTPHeaders: { 'X-One': '1' } }, async (page) => {
      equal((await headers(page))['x-one'], '1');
      await page.goto(`${SITE}/csp`);
      equal(await run(page), 1);
    });
  });
  await test('timeouts of a context', async () => {
    await within({}, async (page, context) => {
      context.setDefaultTimeout(60);
      await fails('clicking on "#none": timed out after 60ms', () => page.click('#none'));
      context.setDefaultNavigationTimeout(80);
      await fails(/timed out after 80ms$/, () => page.goto(`${SITE}/slow?2000`));
      equal(context.pages().length, 1);
      equal(context.browser().version(), browser.version());
    });
  });
  await test('options hosts and blockHostnames count in the browser, too', async () => {
    await within({}, async (page) => {
      equal((await page.goto('http://pizza.test/page?1')).status(), 200);
      await fails(/net::ERR_BLOCKED_BY_CLIENT/, () => page.goto('http://blocked.test/'));
    });
  });
  await test('chromium.connectOverCDP: another browser beside the own one', async () => {
    const other = await chromium.connectOverCDP(__ENV.CDP);
    const page = await other.newPage();
    equal((await page.goto(`${SITE}/page?1`)).status(), 200);
    equal([other.isConnected(), other.version() !== ''], [true, true]);
    covers('Browser', 'close');
    await other.close();
    equal([other.isConnected(), page.isClosed(), browser.isConnected()], [false, true, true]);
    await chromium.connectOverCDP(__ENV.CDP); // this one ends with the iteration
    for (const [url, why] of [['', 'WebSocket endpoint cannot be empty'], ['http://h', 'invalid WebSocket endpoint "http://h": scheme must be ws or wss, got "http"'],
      ['ws:///x', 'invalid WebSocket endpoint "ws:///x": host is missing']])
      await fails(`connecting to Chromium over CDP: ${why}`, () => chromium.connectOverCDP(url));
    await fails(/^connecting to Chromium over CDP: connecting to browser: .*refused/, () => chromium.connectOverCDP('ws://127.0.0.1:1/x'));
  });
  report();
}
