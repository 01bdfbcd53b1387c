import { getConfig, getQuotes, getTools, isLoggedIn, postPizza, visitorId } from './api';
import { Advanced } from './advanced';
import { throwConfetti } from './confetti';
import { el } from './dom';
import { Nudge, nudgeText } from './nudge';
import { drawError, drawRecommendation } from './recommendation';

const advanced = new Advanced();
const toggle = el('input', { type: 'checkbox', id: 'advanced-toggle' });
const advancedPlace = el('div');
const loginLink = el('a', { href: '/login' }, 'Login');
const quote = el('blockquote', { class: 'quote', hidden: true });
const button = el('button', { type: 'button', name: 'pizza-please' }, 'Pizza, Please!');
const nudgeBox = el('p', { class: 'nudge', hidden: true });
const result = el('section', { 'aria-live': 'polite' });
let hasPizza = false;

const nudge = new Nudge((count) => {
  if (hasPizza) return;
  nudgeBox.textContent = nudgeText(count);
  nudgeBox.hidden = false;
});

async function recommend(): Promise<void> {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  throwConfetti(button);
  try {
    const recommendation = await postPizza(advanced.restrictions());
    hasPizza = true;
    nudgeBox.hidden = true;
    result.replaceChildren(...drawRecommendation(recommendation));
    nudge.announce();
  } catch (error) {
    result.replaceChildren(drawError(error instanceof Error ? error.message : String(error)));
  } finally {
    button.removeAttribute('aria-busy');
  }
}

toggle.addEventListener('change', () => advancedPlace.replaceChildren(...(toggle.checked ? [advanced.element] : [])));
button.addEventListener('click', () => void recommend());

document.body.append(
  el(
    'header',
    {},
    el('a', { class: 'logo', href: '/' }, el('img', { src: '/images/pizza.png', alt: '', width: 36, height: 36 }), 'QuickPizza'),
    el('nav', {}, loginLink, el('span', { class: 'check' }, toggle, el('label', { for: 'advanced-toggle' }, 'Advanced'))),
  ),
  el(
    'main',
    {},
    quote,
    el('img', { class: 'pizza', src: '/images/pizza.png', alt: 'A pizza', width: 160, height: 160 }),
    el('h1', {}, 'Looking to break out of your pizza routine?'),
    el('h2', {}, 'QuickPizza has your back!'),
    el(
      'p',
      {},
      "With just one click, you'll discover new and exciting pizza combinations that you never knew existed.",
    ),
    advancedPlace,
    button,
    nudgeBox,
    result,
  ),
  el(
    'footer',
    {},
    el('p', {}, 'Made with ❤️ by QuickPizza Labs.'),
    el('p', {}, `WebSocket visitor ID: ${visitorId}`),
    el('p', {}, 'Looking for the admin page? ', el('a', { href: '/admin' }, 'Click here')),
    el('p', {}, 'The original is on ', el('a', { href: 'https://github.com/grafana/quickpizza' }, 'GitHub'), '.'),
  ),
);

getConfig().then(
  (config) => {
    if (!config['faro_url']) console.warn('Grafana Faro is not configured.');
  },
  () => undefined, // no telemetry without
);
void isLoggedIn().then((isKnown) => {
  if (isKnown) loginLink.textContent = 'Profile';
});
getQuotes().then(
  (quotes) => {
    quote.textContent = quotes[Math.floor(Math.random() * quotes.length)] ?? '';
    quote.hidden = quote.textContent === '';
  },
  () => undefined, // the page is as good without
);
getTools().then(
  (tools) => advanced.setTools(tools),
  () => undefined,
);
