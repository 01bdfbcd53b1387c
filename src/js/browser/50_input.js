// ---- 50 keyboard, mouse, touchscreen
// US layout: code, key, key with shift, virtual key code, location.
const KEYS = new Map();
function key(code, name, shifted, vk, location) {
  const k = { code, key: name, shifted: shifted || name, vk, location: location || 0 };
  k.text = name.length === 1 ? name : name === 'Enter' ? '\r' : '';
  if (!KEYS.has(code)) KEYS.set(code, k);
  if (!KEYS.has(name)) KEYS.set(name, k);
  if (shifted && shifted !== name && !KEYS.has(shifted)) KEYS.set(shifted, { ...k, isShifted: true });
}
for (let i = 0; i < 26; i++) key(`Key${String.fromCharCode(65 + i)}`, String.fromCharCode(97 + i), String.fromCharCode(65 + i), 65 + i);
for (let i = 0; i < 10; i++) key(`Digit${i}`, String(i), ')!@#$%^&*('[i], 48 + i);
for (let i = 1; i <= 12; i++) key(`F${i}`, `F${i}`, '', 111 + i);
for (const row of [['Backquote', '`', '~', 192], ['Minus', '-', '_', 189], ['Equal', '=', '+', 187], ['Backslash', '\\', '|', 220],
  ['BracketLeft', '[', '{', 219], ['BracketRight', ']', '}', 221], ['Semicolon', ';', ':', 186], ['Quote', "'", '"', 222],
  ['Comma', ',', '<', 188], ['Period', '.', '>', 190], ['Slash', '/', '?', 191], ['Space', ' ', '', 32], ['Enter', 'Enter', '', 13],
  ['Tab', 'Tab', '', 9], ['Backspace', 'Backspace', '', 8], ['Delete', 'Delete', '', 46], ['Insert', 'Insert', '', 45],
  ['Escape', 'Escape', '', 27], ['Home', 'Home', '', 36], ['End', 'End', '', 35], ['PageUp', 'PageUp', '', 33],
  ['PageDown', 'PageDown', '', 34], ['ArrowLeft', 'ArrowLeft', '', 37], ['ArrowUp', 'ArrowUp', '', 38],
  ['ArrowRight', 'ArrowRight', '', 39], ['ArrowDown', 'ArrowDown', '', 40], ['ShiftLeft', 'Shift', '', 16, 1],
  ['ShiftRight', 'Shift', '', 16, 2], ['ControlLeft', 'Control', '', 17, 1], ['ControlRight', 'Control', '', 17, 2],
  ['AltLeft', 'Alt', '', 18, 1], ['AltRight', 'Alt', '', 18, 2], ['MetaLeft', 'Meta', '', 91, 1], ['MetaRight', 'Meta', '', 92, 2],
  ['CapsLock', 'CapsLock', '', 20], ['NumLock', 'NumLock', '', 144], ['ScrollLock', 'ScrollLock', '', 145], ['Pause', 'Pause', '', 19],
  ['ContextMenu', 'ContextMenu', '', 93], ['PrintScreen', 'PrintScreen', '', 44], ['NumpadEnter', 'Enter', '', 13, 3],
  ['NumpadAdd', '+', '', 107, 3], ['NumpadSubtract', '-', '', 109, 3], ['NumpadMultiply', '*', '', 106, 3], ['NumpadDivide', '/', '', 111, 3]])
  key(...row);
for (let i = 0; i < 10; i++) key(`Numpad${i}`, String(i), '', 96 + i, 3);
KEYS.set('\n', KEYS.get('Enter'));
KEYS.set('\r', KEYS.get('Enter'));
const MODIFIER_BITS = { Alt: 1, Control: 2, Meta: 4, Shift: 8 };

class Keyboard {
  constructor(page) { this.page = page; this.modifiers = 0; this.pressed = new Set(); }
  find(name) {
    const n = String(name) === 'ControlOrMeta' ? 'Control' : String(name);
    const k = KEYS.get(n);
    if (!k) throw new Error(`${quote(n)} is not a valid key for layout "us"`);
    return k;
  }
  *down(name) {
    const k = this.find(name), isRepeat = this.pressed.has(k.code);
    this.pressed.add(k.code);
    const shift = k.isShifted || (this.modifiers & 8) !== 0;
    this.modifiers |= MODIFIER_BITS[k.key] || 0;
    const value = shift && k.shifted ? k.shifted : k.key;
    const text = (this.modifiers & ~8) ? '' : value.length === 1 ? value : k.text;
    yield this.page.session.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', modifiers: this.modifiers,
      windowsVirtualKeyCode: k.vk, code: k.code, key: value, text, unmodifiedText: text, autoRepeat: isRepeat, location: k.location,
      isKeypad: k.location === 3, commands: (this.modifiers & 2) && k.key === 'a' ? ['selectAll'] : [] });
  }
  *up(name) {
    const k = this.find(name);
    this.modifiers &= ~(MODIFIER_BITS[k.key] || 0);
    this.pressed.delete(k.code);
    yield this.page.session.send('Input.dispatchKeyEvent', { type: 'keyUp', modifiers: this.modifiers, windowsVirtualKeyCode: k.vk,
      code: k.code, key: k.isShifted ? k.shifted : k.key, location: k.location });
  }
  *press(combination, o) {
    const s = String(combination);
    const parts = s === '+' ? ['+'] : s.endsWith('++') ? [...s.slice(0, -2).split('+'), '+'] : s.split('+');
    for (const p of parts) this.find(p);
    for (const p of parts) yield* this.down(p);
    if (o && o.delay) yield delay(o.delay);
    for (const p of parts.reverse()) yield* this.up(p);
  }
  *insertText(text) { yield this.page.session.send('Input.insertText', { text: String(text) }); }
  *type(text, o) {
    for (const c of String(text)) {
      if (KEYS.has(c)) yield* this.press(c);
      else yield* this.insertText(c);
      if (o && o.delay) yield delay(o.delay);
    }
  }
}

const BUTTON_BITS = { left: 1, right: 2, middle: 4 };
class Mouse {
  constructor(page) { this.page = page; this.x = 0; this.y = 0; this.buttons = 0; this.last = 'none'; }
  send(type, p) {
    return this.page.session.send('Input.dispatchMouseEvent', { type, x: this.x, y: this.y, buttons: this.buttons,
      modifiers: this.page.keyboard.modifiers, ...p });
  }
  *withModifiers(names, body) {
    const k = this.page.keyboard, list = names || [];
    for (const n of list) if (!MODIFIER_BITS[n] && n !== 'ControlOrMeta') throw new Error(`parsing element handle click option modifiers: unknown modifier ${quote(n)}`);
    for (const n of list) yield* k.down(n);
    yield* body;
    for (const n of list) yield* k.up(n);
  }
  *move(x, y, o) {
    const fromX = this.x, fromY = this.y, steps = Math.max(1, (o && o.steps) || 1);
    for (let i = 1; i <= steps; i++) {
      this.x = fromX + (x - fromX) * (i / steps);
      this.y = fromY + (y - fromY) * (i / steps);
      yield this.send('mouseMoved', { button: this.last });
    }
  }
  *down(o) {
    const button = (o && o.button) || 'left';
    if (!BUTTON_BITS[button]) throw new Error(`unknown mouse button ${quote(button)}`);
    this.last = button;
    this.buttons |= BUTTON_BITS[button];
    yield this.send('mousePressed', { button, clickCount: (o && o.clickCount) || 1 });
  }
  *up(o) {
    const button = (o && o.button) || 'left';
    this.last = 'none';
    this.buttons &= ~BUTTON_BITS[button];
    yield this.send('mouseReleased', { button, clickCount: (o && o.clickCount) || 1 });
  }
  *click(x, y, o = {}) {
    yield* this.move(Number(x), Number(y));
    for (let i = 1; i <= (o.clickCount || 1); i++) {
      yield* this.down({ button: o.button, clickCount: i });
      if (o.delay) yield delay(o.delay);
      yield* this.up({ button: o.button, clickCount: i });
    }
  }
  *dblclick(x, y, o) { yield* this.click(x, y, { ...o, clickCount: 2 }); }
}
class Touchscreen {
  constructor(page) { this.page = page; }
  *tap(x, y) {
    const s = this.page.session, modifiers = this.page.keyboard.modifiers;
    yield s.send('Input.dispatchTouchEvent', { type: 'touchStart', modifiers, touchPoints: [{ x: Number(x), y: Number(y) }] });
    yield s.send('Input.dispatchTouchEvent', { type: 'touchEnd', modifiers, touchPoints: [] });
  }
}

// What scripts call: the same, with k6's words in front of what goes wrong.
function said(c, name, words) {
  c.prototype[`${name}Said`] = function* (...args) {
    try {
      return yield* this[name](...args);
    } catch (e) {
      throw new Error(`${typeof words === 'string' ? words : words(this, ...args)}: ${e.message}`);
    }
  };
}
const at = (words, inner) => (m, x, y) => {
  const isNumber = typeof x === 'number';
  return `${words} x:${Number(isNumber ? x : m.x).toFixed(6)} y:${Number(isNumber ? y : m.y).toFixed(6)}${inner || ''}`;
};
for (const [name, words] of [['down', 'sending key down'], ['up', 'sending key up'], ['press', 'pressing key'], ['insertText', 'inserting text'],
  ['type', 'typing text']])
  said(Keyboard, name, words);
for (const [name, words] of [['click', at('clicking on')], ['dblclick', at('double clicking on')], ['move', at('moving the mouse pointer to', ': mouse move')],
  ['down', at('pressing the mouse button on', ': mouse down')], ['up', at('releasing the mouse button on', ': mouse up')]])
  said(Mouse, name, words);
said(Touchscreen, 'tap', 'tapping');
