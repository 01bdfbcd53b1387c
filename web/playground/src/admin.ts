// Login of the administrator, and the latest recommendations.
import { ApiError, adminLogin, getHistory, hasCookie, type Pizza } from './api';
import { el } from './dom';

const content = el('div', { class: 'card' });

function showLogin(): void {
  const user = el('input', { type: 'text', id: 'username', value: 'admin', autocomplete: 'off' });
  const password = el('input', { type: 'password', id: 'password', value: 'admin', autocomplete: 'off' });
  const error = el('p', { role: 'alert' });
  const form = el(
    'form',
    {},
    el('div', { class: 'field' }, el('label', { for: 'username' }, 'Username (hint: admin)'), user),
    el('div', { class: 'field' }, el('label', { for: 'password' }, 'Password (hint: admin)'), password),
    el('button', { type: 'submit' }, 'Sign in'),
    error,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    adminLogin(user.value, password.value).then(showHistory, (reason: Error) => {
      const why = reason instanceof ApiError ? reason.statusText || String(reason.status) : reason.message;
      error.textContent = `Login failed: ${why}`;
    });
  });
  content.replaceChildren(form);
}

function describe(pizza: Pizza, index: number): string {
  const newest = index === 0 ? ' (newest)' : '';
  return `${pizza.name} (tool=${pizza.tool}, ingredients_number=${pizza.ingredients.length})${newest}`;
}

async function showHistory(): Promise<void> {
  let pizzas: Pizza[];
  try {
    pizzas = await getHistory();
  } catch {
    showLogin();
    return;
  }
  const logout = el('button', { type: 'button', class: 'quiet' }, 'Logout');
  const refresh = el('button', { type: 'button' }, 'Refresh');
  logout.addEventListener('click', () => {
    document.cookie = 'admin_token=; Path=/; Max-Age=0; SameSite=Strict';
    showLogin();
  });
  refresh.addEventListener('click', () => void showHistory());
  content.replaceChildren(
    logout,
    el('h2', {}, 'Latest pizza recommendations'),
    el('ul', {}, ...pizzas.map((pizza, index) => el('li', {}, describe(pizza, index)))),
    refresh,
  );
}

document.body.append(
  el(
    'main',
    {},
    el('h1', {}, 'QuickPizza Administration'),
    content,
    el('p', {}, el('a', { href: '/' }, 'Back to main page')),
  ),
);
if (hasCookie('admin_token')) void showHistory();
else showLogin();
