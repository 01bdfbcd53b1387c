// Pages: navigation, events, requests and responses, routes, popups, workers, emulation. SITE is the server of test_browser.py.
import { browser, devices, networkProfiles } from 'k6/browser';
import { equal, eventually, fails, match, report, scenario, test, watch } from './harness.js';

export const options = scenario();
const SITE = __ENV.SITE;

export default async function () {
  watch(browser, 'Browser');
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-context': 'c' } });
  const page = await context.newPage();
  const answer = (path, init) => page.evaluate(async (u, o) => (await fetch(u, o)).text(), SITE + path, init || {});

  await test('navigation: goto, reload, history', async () => {
    const r = await page.goto(`${SITE}/page?1`, { referer: 'http://from.test/' });
    equal([r.status(), r.url(), page.url(), await page.title()], [200, `${SITE}/page?1`, `${SITE}/page?1`, 'page 1']);
    equal((await r.request().allHeaders()).referer, 'http://from.test/');
    equal((await page.goto(`${SITE}/page?2`, { waitUntil: 'networkidle' })).status(), 200);
    equal((await page.goBack()).url(), `${SITE}/page?1`);
    equal(await page.title(), 'page 1');
    await page.goForward({ waitUntil: 'domcontentloaded' });
    equal(await page.title(), 'page 2');
    equal(await page.goForward(), null);
    equal((await page.reload()).status(), 200);
    await page.bringToFront();
    equal(await page.goto(`${SITE}/page?2#part`), null);
    equal((await page.mainFrame().goto(`${SITE}/page?3`)).ok(), true);
    equal((await page.goto(`${SITE}/redirect?to=/page`)).url(), `${SITE}/page`);
  });
  await test('navigation: errors in words', async () => {
    await fails(`navigating page: navigating frame to "http://127.0.0.1:1/": navigating to "http://127.0.0.1:1/": net::ERR_UNSAFE_PORT`,
      () => page.goto('http://127.0.0.1:1/'));
    await fails(`navigating page: navigating frame to "${SITE}/slow?3000": navigating to "${SITE}/slow?3000": timed out after 100ms`,
      () => page.goto(`${SITE}/slow?3000`, { timeout: 100 }));
    await fails(/invalid lifecycle event: "never"; must be one of: load, domcontentloaded, networkidle/, () => page.goto(SITE, { waitUntil: 'never' }));
    await page.goto(`${SITE}/page?1`);
    page.setDefaultNavigationTimeout(90);
    await fails(/^waiting for navigation: timed out after 90ms/, () => page.waitForNavigation());
    page.setDefaultNavigationTimeout(30000);
  });
  await test('waiting for navigations, URLs, states and time', async () => {
    for (const o of [page, page.mainFrame()]) {
      await page.goto(`${SITE}/page?1`);
      const [r] = await Promise.all([o.waitForNavigation({ url: /page\?2/ }), page.click('#next')]);
      equal(r.url(), `${SITE}/page?2`);
      await page.evaluate(() => { setTimeout(() => { location.hash = 'there'; }, 20); });
      await o.waitForURL(/#there$/);
      await o.waitForLoadState();
      await o.waitForLoadState('networkidle');
      await fails('waiting for URL "nowhere": timed out after 60ms', () => o.waitForURL('nowhere', { timeout: 60 }));
      const before = Date.now();
      await o.waitForTimeout(50);
      if (Date.now() - before < 49) throw new Error('too short');
    }
  });
  await test('a click waits for the navigation it sets off', async () => {
    await page.goto(`${SITE}/page?1`);
    await page.locator('#next').click();
    equal(await page.title(), 'page 2');
  });
  await test('page.on: console, request, response, requestfinished, requestfailed', async () => {
    const seen = {};
    const note = (k, v) => (seen[k] = seen[k] || []).push(v);
    const other = await context.newPage();
    other.on('console', (m) => note('console', m));
    for (const e of ['request', 'response', 'requestfinished', 'requestfailed']) other.on(e, (r) => note(e, r));
    await other.goto(`${SITE}/page?1`);
    await other.evaluate(() => { console.warn('careful', 42, { a: 1 }); });
    await other.evaluate((u) => fetch(u, { mode: 'no-cors' }).catch(() => 0), 'http://127.0.0.1:9/');
    await eventually(() => (seen.requestfailed || []).map((x) => x.url()), ['http://127.0.0.1:9/']);
    const m = seen.console[0];
    equal([m.type(), m.text().slice(0, 10), m.page() === other], ['warning', 'careful 42', true]);
    equal(await m.args()[1].jsonValue(), 42);
    equal([seen.request[0].url(), seen.response[0].status()], [`${SITE}/page?1`, 200]);
    equal(seen.requestfinished.some((r) => r.url() === `${SITE}/page?1`), true);
    equal(seen.requestfailed[0].failure(), { errorText: 'net::ERR_UNSAFE_PORT' });
    await fails('unknown page on event: "nope"', () => other.on('nope', () => 0));
    await fails('The "listener" argument must be a function', () => other.on('console'));
    await other.close();
    equal(other.isClosed(), true);
  });
  await test('waiting for events, requests, responses', async () => {
    await page.goto(`${SITE}/page?1`);
    let [r] = await Promise.all([page.waitForResponse(/json/), answer('/json')]);
    equal(await r.json(), { a: [1] });
    [r] = await Promise.all([page.waitForRequest(`${SITE}/json?2`), answer('/json?2')]);
    equal(r.method(), 'GET');
    [r] = await Promise.all([page.waitForEvent('console', (m) => m.text() === 'two'),
      page.evaluate(() => { console.log('one'); console.log('two'); })]);
    equal(r.text(), 'two');
    [r] = await Promise.all([page.waitForEvent('request', { predicate: (q) => q.url().endsWith('3') }), answer('/json?3')]);
    equal(r.url(), `${SITE}/json?3`);
    await fails('waiting for response: waiting for page response event: timed out after 30ms', () => page.waitForResponse(/never/, { timeout: 30 }));
    await fails('waiting for request: waiting for page request event: timed out after 30ms', () => page.waitForRequest(/never/, { timeout: 30 }));
    await fails('waiting for page event "console": waiting for page event "console": waiting for page console event: timed out after 30ms',
      () => page.waitForEvent('console', { timeout: 30 }));
    await fails("parsing waitForEvent options: waitForEvent does not support option: 'x'", () => page.waitForEvent('console', { x: 1 }));
    await fails("parsing waitForResponse options: unsupported waitForResponse option: 'x'", () => page.waitForResponse(/a/, { x: 1 }));
    await fails('no', () => Promise.all([page.waitForEvent('console', () => { throw new Error('no'); }), page.evaluate(() => console.log(1))]));
  });
  await test('Request: all that it tells', async () => {
    await page.goto(`${SITE}/page?1`);
    const [q] = await Promise.all([page.waitForRequest(/echo/),
      answer('/echo', { method: 'POST', body: 'data', headers: { 'X-Mine': 'yes' } })]);
    equal([q.method(), q.postData(), q.postDataBuffer().byteLength, q.resourceType(), q.isNavigationRequest()], ['POST', 'data', 4, 'Fetch', false]);
    const response = await q.response();
    equal(response.status(), 200);
    equal(q.headers()['x-mine'], 'yes');
    equal((await q.allHeaders())['x-context'], 'c');
    equal(await q.headerValue('X-MINE'), 'yes');
    equal(await q.headerValue('nope'), null);
    equal((await q.headersArray()).some((h) => h.name.toLowerCase() === 'x-mine' && h.value === 'yes'), true);
    equal([q.size().body, q.size().headers > 50, q.failure(), q.frame() === page.mainFrame()], [4, true, null, true]);
    await response.body();
    const t = q.timing();
    equal([t.startTime > 1e12, t.responseStart > 0, t.responseEnd >= t.responseStart], [true, true, true]);
    const top = (await page.goto(`${SITE}/page?1`)).request();
    equal([top.isNavigationRequest(), top.resourceType(), top.postData(), top.postDataBuffer()], [true, 'Document', null, null]);
  });
  await test('Response: all that it tells', async () => {
    const r = await page.goto(`${SITE}/json`);
    equal([r.status(), r.statusText(), r.ok(), r.url(), r.frame() === page.mainFrame()], [200, 'OK', true, `${SITE}/json`, true]);
    equal(await r.text(), '{"a": [1]}');
    equal((await r.body()).byteLength, 10);
    equal(await r.json(), { a: [1] });
    equal(r.headers()['x-two'], 'one\ntwo');
    equal((await r.allHeaders())['content-type'], 'application/json');
    equal(await r.headerValue('X-Two'), 'one, two');
    equal(await r.headerValues('x-two'), ['one', 'two']);
    equal((await r.headersArray()).filter((h) => h.name.toLowerCase() === 'x-two').length, 2);
    equal([(await r.size()).body, (await r.size()).headers > 20], [10, true]);
    equal((await r.serverAddr()).ipAddress, '127.0.0.1');
    equal(await r.securityDetails(), null);
    equal(r.request().url(), `${SITE}/json`);
    const bad = await page.goto(`${SITE}/page?404`);
    equal([bad.status(), bad.ok()], [404, false]);
    await fails(/^unmarshalling response body to JSON: /, () => bad.json());
  });
  await test('Route: abort, fulfill, continue; the last one wins; unroute', async () => {
    await page.goto(`${SITE}/page?1`);
    await page.route(/mock/, (r) => r.fulfill({ status: 418, body: 'first', contentType: 'text/plain' }));
    await page.route(/mock/, (r) => r.fulfill({ status: 201, body: 'é', contentType: 'text/plain; charset=utf-8', headers: { 'x-h': '1' } }));
    equal(await page.evaluate(async (u) => { const r = await fetch(u); return [r.status, await r.text(), r.headers.get('x-h')]; }, `${SITE}/mock`), [201, 'é', '1']);
    await page.route(`${SITE}/echo`, (r) => {
      equal(r.request().method(), 'GET');
      return r.continue({ method: 'POST', postData: 'changed', headers: { ...r.request().headers(), 'x-added': 'a' } });
    });
    equal(JSON.parse(await answer('/echo')), { method: 'POST', body: 'changed', added: 'a' });
    let again;
    await page.route(/gone/, async (r) => { await r.abort('accessdenied'); again = await r.abort().catch((e) => e.message); });
    equal(await page.evaluate((u) => fetch(u).catch((e) => e.name), `${SITE}/gone`), 'TypeError');
    await eventually(() => again, 'route is already handled');
    await page.unroute(`${SITE}/echo`);
    equal(JSON.parse(await answer('/echo')).method, 'GET');
    await page.unrouteAll();
    equal(await answer('/mock'), 'not found');
    let why;
    await page.route(/bad/, async (r) => { why = await r.fulfill({ path: 'x' }).catch((e) => e.message); await r.abort(); });
    await page.evaluate((u) => fetch(u).catch(() => 0), `${SITE}/bad`);
    await eventually(() => why, "unsupported fulfill option: 'path'");
    await page.unrouteAll();
  });
  await test('MetricMessage: URLs are grouped', async () => {
    const other = await context.newPage();
    let why;
    other.on('metric', (m) => {
      m.tag({ name: 'grouped', matches: [{ url: /grouped\?\d+/, method: 'GET' }, { url: /nothing/ }] });
      try { m.tag({ name: ' ', matches: [] }); } catch (e) { why = e.message; }
    });
    await other.goto(`${SITE}/grouped?1`);
    await eventually(() => other.evaluate(() => performance.getEntriesByName('first-contentful-paint').length), 1);
    await other.goto(`${SITE}/grouped?22`);
    equal(why, 'name " " is invalid');
    await other.close();
  });
  await test('popups: window.open and target=_blank, opener, waitForEvent', async () => {
    await page.goto(`${SITE}/popups`);
    const [a] = await Promise.all([context.waitForEvent('page'), page.click('#blank')]);
    await a.waitForLoadState();
    equal([a.url(), await a.title(), (await a.opener()) === page, context.pages().length], [`${SITE}/page?1`, 'page 1', true, 2]);
    const [b] = await Promise.all([context.waitForEvent('page', { predicate: (p) => p.url() !== null, timeout: 5000 }), page.click('#open')]);
    await b.waitForURL(/page\?2/);
    equal(await b.locator('h1').textContent(), 'page 2');
    equal((await b.opener()) === page, true);
    await a.close();
    await Promise.all([b.waitForEvent('console').catch(() => 0), b.evaluate(() => { window.close(); })].slice(1));
    await eventually(() => context.pages().length, 1);
    equal(b.isClosed(), true);
    await fails('waitForEvent timed out after 40ms', () => context.waitForEvent('page', { timeout: 40 }));
    await fails('incorrect event "close", "page" is the only event supported', () => context.waitForEvent('close'));
    await fails('parsing wait for event options: unknown option: x', () => context.waitForEvent('page', { x: 1 }));
  });
  await test('Worker: a page tells of its workers', async () => {
    await page.goto(`${SITE}/worker`);
    await eventually(() => page.workers().map((w) => w.url()), [`${SITE}/worker.js`]);
    await eventually(() => page.evaluate(() => window.said), 'from the worker: {"a": [1]}');
    await page.evaluate(() => window.worker.terminate());
    await eventually(() => page.workers().length, 0);
  });
  await test('dialogs are dismissed', async () => {
    await page.goto(`${SITE}/page?1`);
    equal(await page.evaluate(() => { alert(1); return [confirm('?'), prompt('?')]; }), [false, null]);
    await page.evaluate(() => { window.onbeforeunload = () => 'stay'; });
    await page.click('h1');
    await page.goto(`${SITE}/page?2`);
    equal(await page.title(), 'page 2');
  });
  await test('downloads come in whole', async () => {
    await page.goto(`${SITE}/page?1`);
    await page.click('#download');
    await eventually(() => answer('/downloaded'), '300000');
    equal(await page.title(), 'page 1');
  });
  await test('uploads with a form', async () => {
    await page.goto(`${SITE}/form`);
    await page.setInputFiles('input[type=file]', { name: 'pizza.txt', mimeType: 'text/plain', buffer: 'bWFyZ2hlcml0YQ==' });
    await page.locator('button').click();
    match(await page.content(), /pizza\.txt.*margherita/s);
  });
  await test('screenshots: png, jpeg, whole page, clip, of an element', async () => {
    await page.setViewportSize({ width: 400, height: 300 });
    equal(page.viewportSize(), { width: 400, height: 300 });
    await page.setContent('<style>body { margin: 0; height: 900px }</style><div style="width:50px;height:40px"></div>');
    const png = (b) => { const v = new DataView(b); return [v.getUint32(16), v.getUint32(20)]; };
    equal(png(await page.screenshot()), [400, 300]);
    equal(png(await page.screenshot({ fullPage: true, omitBackground: true })), [400, 900]);
    equal(png(await page.screenshot({ clip: { x: 10, y: 10, width: 20, height: 30 } })), [20, 30]);
    equal(png(await (await page.$('div')).screenshot()), [50, 40]);
    equal([...new Uint8Array(await page.screenshot({ type: 'jpeg', quality: 10 })).slice(0, 3)], [255, 216, 255]);
    await fails('taking screenshot of page: trimming clip to size: clip area is either empty or outside the viewport',
      () => page.screenshot({ clip: { x: 1000, y: 0, width: 1, height: 1 } }));
    await page.screenshot({ path: __ENV.SHOT });
  });
  await test('emulation: media, vision, extra headers, throttled CPU and network', async () => {
    const media = (q) => page.evaluate((x) => matchMedia(x).matches, q);
    await page.goto(`${SITE}/page?1`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark', reducedMotion: 'reduce' });
    equal([await media('print'), await media('(prefers-color-scheme: dark)'), await media('(prefers-reduced-motion: reduce)')], [true, true, true]);
    await page.emulateVisionDeficiency('achromatopsia');
    await fails('unsupported vision deficiency: x', () => page.emulateVisionDeficiency('x'));
    await page.setExtraHTTPHeaders({ 'X-Page': 'p' });
    equal(JSON.parse(await answer('/headers'))['x-page'], 'p');
    await page.throttleCPU({ rate: 4 });
    await page.throttleCPU({ rate: 1 });
    equal(Object.keys(networkProfiles).sort(), ['Fast 3G', 'No Throttling', 'Slow 3G']);
    await page.throttleNetwork({ latency: 150, download: -1, upload: -1 });
    const ms = await page.evaluate(async (u) => { const t = performance.now(); await fetch(u); return performance.now() - t; }, `${SITE}/json?slow`);
    if (ms < 149) throw new Error(`${ms} ms with 150 ms of latency`);
    await page.throttleNetwork(networkProfiles['No Throttling']);
    equal(devices['iPhone X'].isMobile, true);
  });
  await test('a page tells where it belongs', async () => {
    equal(page.context() === context, true);
    equal(context.browser().isConnected(), true);
    match(browser.version(), /^\d+\./);
    match(browser.userAgent(), / Chrome/);
    equal(browser.context() === context, true);
    equal(await page.opener(), null);
    page.setDefaultTimeout(70);
    await fails('clicking on "#none": timed out after 70ms', () => page.click('#none'));
  });
  await context.close();
  report();
}
