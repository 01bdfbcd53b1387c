// What is done to elements: by Page and Frame with a selector, by Locator, by ElementHandle; handles, keyboard, mouse.
import { browser } from 'k6/browser';
import { equal, fails, match, report, scenario, test, watch } from './harness.js';

export const options = scenario();
const HTML = `<title>elements</title><style>body { margin: 0 } #far { margin-top: 3000px }</style>
<h1>Head<i>ing</i></h1>
<form onsubmit="return false"><label>Name <input id=name placeholder="your name" title="the title" data-testid=tid></label>
<textarea id=area></textarea><input type=checkbox id=box><input type=radio name=r id=radio>
<select id=one><option value=a>Alpha<option value=b>Beta</select>
<select id=many multiple><option value=1>One<option value=2>Two<option value=3>Three</select>
<input type=file id=file multiple><input id=ro readonly value=fixed><button id=off disabled>off</button></form>
<button id=go onclick="console.log('clicked', 42); this.textContent = 'done'" ondblclick="this.dataset.d = 1">go</button>
<p class=x>first <b>thing</b></p><p class=x>second</p><div id=hidden style="display:none">no</div><img alt="a pizza" src="data:,">
<div id=pad style="width:200px;height:50px" onmousemove="this.dataset.m = event.clientX" onwheel="1"
  onmousedown="this.dataset.down = event.button" onmouseup="this.dataset.up = 1" onclick="this.dataset.n = event.detail + ':' + event.shiftKey"
  ontouchend="this.dataset.touch = 1" onmouseenter="this.dataset.over = 1">pad</div>
<iframe name=inner id=frame srcdoc="<p id=deep>deep</p><button onclick='this.id=1'>in</button><img alt=inside><input placeholder=ph title=ti data-testid=td><label>L<input id=lab></label>"></iframe>
<div id=slot></div><p id=far>far</p>`;

export default async function () {
  watch(browser, 'Browser');
  const context = await browser.newContext({ hasTouch: true });
  const page = await context.newPage();
  const text = (selector) => page.textContent(selector);
  const data = (selector, name) => page.evaluate((s, n) => document.querySelector(s).dataset[n], selector, name);
  const fresh = () => page.setContent(HTML);
  page.setDefaultTimeout(10000);
  await fresh();
  const frame = page.mainFrame();

  for (const [who, o] of [['Page', page], ['Frame', frame]]) {
    await test(`${who}: a selector's element is read`, async () => {
      equal(await o.textContent('h1'), 'Heading');
      equal(await o.innerText('h1'), 'Heading');
      equal(await o.innerHTML('h1'), 'Head<i>ing</i>');
      equal(await o.getAttribute('#name', 'placeholder'), 'your name');
      equal(await o.getAttribute('#name', 'nope'), null);
      equal(await o.inputValue('#ro'), 'fixed');
      equal([await o.isVisible('h1'), await o.isVisible('#hidden'), await o.isVisible('#none')], [true, false, false]);
      equal([await o.isHidden('h1'), await o.isHidden('#hidden'), await o.isHidden('#none')], [false, true, true]);
      equal([await o.isEnabled('#go'), await o.isEnabled('#off')], [true, false]);
      equal([await o.isDisabled('#go'), await o.isDisabled('#off')], [false, true]);
      equal([await o.isEditable('#name'), await o.isEditable('#ro')], [true, false]);
      equal(await o.isChecked('#box'), false);
      equal(await o.title(), 'elements');
      match(await o.content(), /<title>elements<\/title>/);
      equal(o.url(), 'about:blank');
    });
    await test(`${who}: a selector's element is acted on`, async () => {
      await fresh();
      await o.click('#go');
      equal(await text('#go'), 'done');
      await o.dblclick('#go');
      equal(await data('#go', 'd'), '1');
      await o.check('#box');
      equal(await o.isChecked('#box'), true);
      await o.uncheck('#box');
      equal(await o.isChecked('#box'), false);
      await o.setChecked('#box', true);
      equal(await o.isChecked('#box'), true);
      await o.fill('#name', 'Ann');
      await o.focus('#name');
      await o.press('#name', 'End');
      await o.type('#name', 'e!');
      equal(await o.inputValue('#name'), 'Anne!');
      equal(await o.selectOption('#one', 'b'), ['b']);
      equal(await o.selectOption('#many', ['1', { label: 'Three' }]), ['1', '3']);
      equal(await o.selectOption('#many', { index: 1 }), ['2']);
      await o.setInputFiles('#file', [{ name: 'a.txt', mimeType: 'text/plain', buffer: 'aGk=' }, { name: 'b.txt', mimeType: 'text/plain', buffer: '' }]);
      equal(await page.evaluate(() => [...document.querySelector('#file').files].map((f) => f.name + f.size)), ['a.txt2', 'b.txt0']);
      await o.hover('#pad');
      equal(await data('#pad', 'over'), '1');
      await o.tap('#pad');
      equal(await data('#pad', 'touch'), '1');
      await o.dispatchEvent('#go', 'dblclick');
      await o.click('#pad', { button: 'right', position: { x: 3, y: 4 }, delay: 5 });
      equal([await data('#pad', 'down'), await data('#pad', 'm')], ['2', '3']);
      await o.click('#pad', { modifiers: ['Shift'], clickCount: 2 });
      equal(await data('#pad', 'n'), '2:true');
    });
    await test(`${who}: a selector is waited for and found`, async () => {
      await fresh();
      await page.evaluate(() => { setTimeout(() => { document.querySelector('#slot').innerHTML = '<u>late</u>'; }, 50); });
      equal(await (await o.waitForSelector('u')).textContent(), 'late');
      equal(await o.waitForSelector('#none', { state: 'detached' }), null);
      equal((await o.$$('p.x')).length, 2);
      equal(await (await o.$('p.x')).innerText(), 'first thing');
      equal(await o.$('#none'), null);
      await fails('waiting for selector "#none": timed out after 60ms', () => o.waitForSelector('#none', { timeout: 60 }));
      await page.evaluate(() => { setTimeout(() => { window.z = { n: 5 }; }, 30); });
      equal(await (await o.waitForFunction(() => window.z)).jsonValue(), { n: 5 });
      equal(await (await o.waitForFunction((a) => a + 1, { polling: 10 }, 4)).jsonValue(), 5);
      await fails(/waiting for function, polling: timed out after 50ms/, () => o.waitForFunction('false', { timeout: 50 }));
      equal(await o.evaluate((a, b) => a + b, 1, 2), 3);
      equal(await o.evaluate('1 + 1'), 2);
      equal(await (await o.evaluateHandle(() => ({ a: [1] }))).jsonValue(), { a: [1] });
      await fails('evaluate requires a page function', () => o.evaluate());
      await fails(/^evaluating JS: .*no/, () => o.evaluate(() => { throw new Error('no'); }));
    });
    await test(`${who}: locators by role, text, label and attributes`, async () => {
      await fresh();
      const id = (l) => l.getAttribute('id');
      equal(await id(o.getByRole('button', { name: 'go', exact: true })), 'go');
      equal(await id(o.getByRole('button', { disabled: true })), 'off');
      equal(await o.getByText('second').textContent(), 'second');
      equal(await o.getByText(/^sec/).count(), 1);
      equal(await id(o.getByLabel('Name')), 'name');
      equal(await id(o.getByPlaceholder('your name')), 'name');
      equal(await id(o.getByTitle('the title')), 'name');
      equal(await id(o.getByTestId('tid')), 'name');
      equal(await o.getByAltText('a pizza').count(), 1);
      equal(await o.getByAltText('A PIZZ').count(), 1);
      equal(await o.getByAltText('A PIZZ', { exact: true }).count(), 0);
      equal(await o.locator('xpath=//p').count(), 3);
      equal(await o.locator('//p').count(), 3);
      equal(await o.locator('text=second').count(), 1);
      equal(await o.locator('form >> #name').count(), 1);
      equal(await o.locator('p', { hasText: 'thing' }).count(), 1);
      equal(await o.frameLocator('iframe').locator('#deep').textContent(), 'deep');
      await fails("missing required argument 'role'", () => o.getByRole());
      await fails("missing required argument 'testId'", () => o.getByTestId());
      await fails("missing required argument 'altText'", () => o.getByAltText());
    });
    await test(`${who}: errors say what was done to which selector`, async () => {
      await fresh();
      const t = { timeout: 15 };
      for (const [f, words] of [
        [() => o.click('#none', t), 'clicking on "#none"'], [() => o.dblclick('#none', t), 'double clicking on "#none"'],
        [() => o.tap('#none', t), 'tapping on "#none"'], [() => o.hover('#none', t), 'hovering "#none"'],
        [() => o.check('#none', t), 'checking "#none"'], [() => o.uncheck('#none', t), 'unchecking "#none"'],
        [() => o.setChecked('#none', true, t), 'setting checked "#none"'], [() => o.fill('#none', 'v', t), 'filling "#none" with "v"'],
        [() => o.focus('#none', t), 'focusing "#none"'], [() => o.type('#none', 'v', t), 'typing "v" in "#none"'],
        [() => o.press('#none', 'a', t), 'pressing "a" on "#none"'], [() => o.selectOption('#none', 'a', t), 'selecting option on "#none"'],
        [() => o.setInputFiles('#none', [], t), 'setting input files on "#none"'],
        [() => o.dispatchEvent('#none', 'click', {}, t), 'dispatching frame event "click" to "#none"'],
        [() => o.textContent('#none', t), 'getting text content of "#none"'], [() => o.innerText('#none', t), 'getting inner text of "#none"'],
        [() => o.innerHTML('#none', t), 'getting inner HTML of "#none"'], [() => o.inputValue('#none', t), 'getting input value of "#none"'],
        [() => o.getAttribute('#none', 'a', t), 'getting attribute "a" of "#none"'], [() => o.isChecked('#none', t), 'checking element is checked "#none"'],
        [() => o.isEnabled('#none', t), 'checking is "#none" enabled'], [() => o.isDisabled('#none', t), 'checking is "#none" disabled'],
        [() => o.isEditable('#none', t), 'checking is "#none" editable']])
        await fails(`${words}: timed out after 15ms`, f);
      await fails('clicking on "p.x": strict mode violation, multiple elements returned for selector query', () => o.click('p.x', { strict: true }));
      await fails(/^clicking on "#off": timed out after 80ms/, () => o.click('#off', { timeout: 80 }));
    });
  }

  await test('Locator: an element is read', async () => {
    await fresh();
    const l = (s) => page.locator(s);
    equal(await l('h1').textContent(), 'Heading');
    equal(await l('h1').innerText(), 'Heading');
    equal(await l('h1').innerHTML(), 'Head<i>ing</i>');
    equal(await l('#name').getAttribute('title'), 'the title');
    equal(await l('#ro').inputValue(), 'fixed');
    equal([await l('h1').isVisible(), await l('#none').isVisible()], [true, false]);
    equal([await l('h1').isHidden(), await l('#none').isHidden()], [false, true]);
    equal([await l('#go').isEnabled(), await l('#off').isDisabled(), await l('#ro').isEditable(), await l('#box').isChecked()], [true, true, false, false]);
    equal([await l('h1').isInViewport(), await l('#far').isInViewport()], [true, false]);
    equal((await l('#pad').boundingBox()).width, 200);
    equal(await l('#pad').evaluate((e, n) => e.id + n, 1), 'pad1');
    equal(await (await l('#pad').evaluateHandle((e) => e.id)).jsonValue(), 'pad');
  });
  await test('Locator: an element is acted on', async () => {
    await fresh();
    const l = (s) => page.locator(s);
    await l('#go').click();
    equal(await text('#go'), 'done');
    await l('#go').dblclick();
    equal(await data('#go', 'd'), '1');
    await l('#box').check();
    await l('#radio').setChecked(true);
    equal([await l('#box').isChecked(), await l('#radio').isChecked()], [true, true]);
    await l('#box').uncheck();
    equal(await l('#box').isChecked(), false);
    await l('#name').fill('x');
    await l('#name').clear();
    await l('#name').focus();
    await l('#name').pressSequentially('ab', { delay: 1 });
    await l('#name').type('c');
    await l('#name').press('Backspace');
    equal(await l('#name').inputValue(), 'ab');
    equal(await l('#one').selectOption({ value: 'b' }), ['b']);
    await l('#pad').hover();
    await l('#pad').tap();
    equal([await data('#pad', 'over'), await data('#pad', 'touch')], ['1', '1']);
    await l('#pad').dispatchEvent('mousedown', { button: 1 });
    equal(await data('#pad', 'down'), '1');
    await page.evaluate(() => { setTimeout(() => { document.querySelector('#hidden').style.display = 'block'; }, 40); });
    await l('#hidden').waitFor();
    await l('#far').click({ timeout: 5000 });
    equal(await l('#far').isInViewport(), true);
  });
  await test('Locator: locators of locators', async () => {
    await fresh();
    const p = page.locator('p.x');
    equal(await p.count(), 2);
    equal((await p.all()).length, 2);
    equal([await p.first().textContent(), await p.last().textContent(), await p.nth(1).textContent()], ['first thing', 'second', 'second']);
    equal(await p.filter({ hasText: 'second' }).count(), 1);
    equal(await p.filter({ hasNotText: /second/ }).textContent(), 'first thing');
    equal(await p.locator('b').textContent(), 'thing');
    const form = page.locator('form'), body = page.locator('body');
    equal(await form.getByRole('button').getAttribute('id'), 'off');
    equal(await form.getByLabel('Name').getAttribute('id'), 'name');
    equal(await form.getByPlaceholder('your').getAttribute('id'), 'name');
    equal(await form.getByTitle('title').getAttribute('id'), 'name');
    equal(await form.getByTestId('tid').getAttribute('id'), 'name');
    equal(await body.getByText('second').count(), 1);
    equal(await body.getByAltText('a pizza').count(), 1);
    equal(await body.frameLocator('iframe').locator('#deep').textContent(), 'deep');
    equal(await page.locator('iframe').contentFrame().locator('#deep').textContent(), 'deep');
  });
  await test('Locator: errors say what was done to which selector', async () => {
    await fresh();
    const l = page.locator('#none'), t = { timeout: 15 };
    for (const [f, words] of [
      [() => l.click(t), 'clicking on "#none"'], [() => l.dblclick(t), 'double clicking on "#none"'], [() => l.tap(t), 'tapping on "#none"'],
      [() => l.hover(t), 'hovering on "#none"'], [() => l.check(t), 'checking "#none"'], [() => l.uncheck(t), 'unchecking "#none"'],
      [() => l.setChecked(true, t), 'setting "#none" checked to true'], [() => l.fill('v', t), 'filling "#none" with "v"'],
      [() => l.clear(t), 'clearing "#none"'], [() => l.focus(t), 'focusing on "#none"'], [() => l.type('v', t), 'typing "v" in "#none"'],
      [() => l.pressSequentially('v', t), 'pressing sequentially "v" on "#none"'], [() => l.press('a', t), 'pressing "a" on "#none"'],
      [() => l.selectOption('a', t), 'selecting option on "#none"'], [() => l.dispatchEvent('click', {}, t), 'dispatching locator event "click" to "#none"'],
      [() => l.textContent(t), 'getting text content of "#none"'], [() => l.innerText(t), 'getting inner text of "#none"'],
      [() => l.innerHTML(t), 'getting inner HTML of "#none"'], [() => l.inputValue(t), 'getting input value of "#none"'],
      [() => l.getAttribute('a', t), 'getting attribute "a" of "#none"'], [() => l.isChecked(t), 'checking is "#none" checked'],
      [() => l.isEnabled(t), 'checking is "#none" enabled'], [() => l.isDisabled(t), 'checking is "#none" disabled'],
      [() => l.isEditable(t), 'checking is "#none" editable'], [() => l.waitFor(t), 'waiting for "#none"']])
      await fails(`${words}: timed out after 15ms`, f);
    await fails('clicking on "p.x": strict mode violation, multiple elements returned for selector query', () => page.locator('p.x').click());
    await fails(/^filling "h1" with "v": element is not an <input>, <textarea> or \[contenteditable\] element/, () => page.locator('h1').fill('v'));
    await fails('checking "#pad": not a checkbox or radio button', () => page.locator('#pad').check());
  });
  await test('FrameLocator: into frames', async () => {
    await fresh();
    const f = page.frameLocator('#frame');
    await f.getByRole('button').click();
    equal(await f.locator('button').getAttribute('id'), '1');
    equal(await f.getByText('deep').textContent(), 'deep');
    equal(await f.getByAltText('inside').count(), 1);
    equal(await f.getByPlaceholder('ph').count(), 1);
    equal(await f.getByTitle('ti').count(), 1);
    equal(await f.getByTestId('td').count(), 1);
    equal(await f.getByLabel('L').getAttribute('id'), 'lab');
    equal(await f.frameLocator('iframe').locator('p').isVisible(), false);
  });
  await test('Frame: the tree of frames', async () => {
    await fresh();
    equal(page.frames().length, 2);
    const child = page.mainFrame().childFrames()[0];
    equal([child.name(), child.isDetached(), child.url()], ['inner', false, 'about:srcdoc']);
    equal(child.parentFrame() === page.mainFrame(), true);
    equal(page.mainFrame().parentFrame(), null);
    equal(child.page() === page, true);
    equal(await (await child.frameElement()).getAttribute('name'), 'inner');
    await page.evaluate(() => document.querySelector('iframe').remove());
    equal(child.isDetached(), true);
    await page.mainFrame().setContent('<b>set</b>');
    equal(await text('b'), 'set');
  });

  await test('ElementHandle: an element is read', async () => {
    await fresh();
    const h = await page.$('h1'), name = await page.$('#name');
    equal([await h.textContent(), await h.innerText(), await h.innerHTML()], ['Heading', 'Heading', 'Head<i>ing</i>']);
    equal([await name.getAttribute('title'), await (await page.$('#ro')).inputValue()], ['the title', 'fixed']);
    equal([await h.isVisible(), await h.isHidden(), await name.isEnabled(), await name.isDisabled(), await name.isEditable(),
      await (await page.$('#box')).isChecked()], [true, false, true, false, true, false]);
    equal((await (await page.$('#pad')).boundingBox()).height, 50);
    equal(await (await (await page.$('form')).$('textarea')).getAttribute('id'), 'area');
    equal((await (await page.$('form')).$$('select')).length, 2);
    equal(await h.evaluate((e) => e.tagName), 'H1');
    equal(await (await h.evaluateHandle((e) => e.tagName)).jsonValue(), 'H1');
    equal((await (await page.$('iframe')).contentFrame()).name(), 'inner');
    equal((await h.ownerFrame()) === page.mainFrame(), true);
    equal((await h.screenshot()).byteLength > 100, true);
    await fails("getting element's input value: node is not an HTMLInputElement or HTMLTextAreaElement or HTMLSelectElement", () => h.inputValue());
  });
  await test('ElementHandle: an element is acted on', async () => {
    await fresh();
    const $ = (s) => page.$(s);
    await (await $('#go')).click();
    equal(await text('#go'), 'done');
    await (await $('#go')).dblclick();
    equal(await data('#go', 'd'), '1');
    const box = await $('#box');
    await box.check();
    equal(await box.isChecked(), true);
    await box.uncheck();
    equal(await box.isChecked(), false);
    await box.setChecked(true);
    equal(await box.isChecked(), true);
    const name = await $('#name');
    await name.fill('abc');
    await name.selectText();
    await name.type('xy');
    await name.press('z');
    equal(await name.inputValue(), 'xyz');
    await name.focus();
    equal(await page.evaluate(() => document.activeElement.id), 'name');
    equal(await (await $('#one')).selectOption('Beta'), ['b']);
    await (await $('#file')).setInputFiles({ name: 'c.txt', mimeType: 'text/plain', buffer: 'YQ==' });
    equal(await page.evaluate(() => document.querySelector('#file').files[0].name), 'c.txt');
    const pad = await $('#pad');
    await pad.hover();
    await pad.tap();
    await pad.dispatchEvent('mousedown', { button: 2 });
    equal([await data('#pad', 'over'), await data('#pad', 'touch'), await data('#pad', 'down')], ['1', '1', '2']);
    await (await $('#far')).scrollIntoViewIfNeeded();
    equal(await page.locator('#far').isInViewport(), true);
    await (await $('#off')).waitForElementState('disabled');
    await fails('waiting for element state "enabled": timed out after 50ms', async () => (await $('#off')).waitForElementState('enabled', { timeout: 50 }));
    await page.evaluate(() => { setTimeout(() => { document.querySelector('#slot').innerHTML = '<u>late</u>'; }, 30); });
    equal(await (await (await $('#slot')).waitForSelector('u')).textContent(), 'late');
    const gone = await $('#slot');
    await page.evaluate(() => document.querySelector('#slot').remove());
    await fails('clicking on element: element is not attached to the DOM', () => gone.click({ timeout: 300 }));
  });
  await test('ElementHandle, JSHandle: what handles have in common', async () => {
    await fresh();
    const h = await page.$('h1'), o = await page.evaluateHandle(() => ({ a: 1, e: document.body }));
    equal(h.asElement() === h, true);
    equal(o.asElement(), null);
    equal(await o.evaluate((x) => x.a), 1);
    equal(await (await o.evaluateHandle((x) => x.a + 1)).jsonValue(), 2);
    const properties = await o.getProperties();
    equal(await properties.get('a').jsonValue(), 1);
    equal((await h.getProperties()) instanceof Map, true);
    equal(properties.get('e').asElement() !== null, true);
    equal(typeof await h.jsonValue(), 'object');
    equal(await page.evaluate((e) => e.tagName, h), 'H1');
    await o.dispose();
    await h.dispose();
    await fails(/JS handle is disposed/, () => page.evaluate((e) => e, h));
  });

  await test('Keyboard: keys go to what has the focus', async () => {
    await fresh();
    const { keyboard } = page;
    await page.focus('#area');
    await keyboard.type('Ab! é');
    await keyboard.down('Shift');
    await keyboard.press('KeyB');
    await keyboard.up('Shift');
    await keyboard.insertText('→');
    await keyboard.press('Enter');
    equal(await page.inputValue('#area'), 'Ab! éB→\n');
    await keyboard.press('ControlOrMeta+a');
    await keyboard.press('Delete');
    equal(await page.inputValue('#area'), '');
    await fails('pressing key: "Nope" is not a valid key for layout "us"', () => keyboard.press('Nope'));
  });
  await test('Mouse: moves, presses, clicks', async () => {
    await fresh();
    const { mouse } = page, b = await page.locator('#pad').boundingBox();
    await mouse.move(b.x + 10, b.y + 10, { steps: 3 });
    equal(await data('#pad', 'm'), String(b.x + 10));
    await mouse.down({ button: 'middle' });
    await mouse.up({ button: 'middle' });
    equal([await data('#pad', 'down'), await data('#pad', 'up')], ['1', '1']);
    await mouse.click(b.x + 5, b.y + 5, { delay: 1 });
    equal(await data('#pad', 'n'), '1:false');
    await mouse.dblclick(b.x + 5, b.y + 5);
    equal(await data('#pad', 'n'), '2:false');
    await mouse.dblClick(b.x + 5, b.y + 5);
  });
  await test('Touchscreen: a tap', async () => {
    await fresh();
    const b = await page.locator('#pad').boundingBox();
    await page.touchscreen.tap(b.x + 9, b.y + 9);
    equal(await data('#pad', 'touch'), '1');
  });
  await test('clicks wait for what is in the way, and can be forced or only tried', async () => {
    await fresh();
    await page.evaluate(() => {
      const d = document.createElement('div');
      d.id = 'cover';
      d.style.cssText = 'position:fixed;left:0;top:0;right:0;bottom:0';
      document.body.append(d);
    });
    await fails(/^clicking on "#go": timed out after 150ms/, () => page.click('#go', { timeout: 150 }));
    await page.evaluate(() => { setTimeout(() => document.querySelector('#cover').remove(), 60); });
    await page.click('#go', { trial: true });
    equal(await text('#go'), 'go');
    await page.click('#go', { force: true, noWaitAfter: true });
    equal(await text('#go'), 'done');
  });
  await page.close();
  report();
}
