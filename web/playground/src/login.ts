// Login, whose form is in the page; and the profile of those who are logged in, drawn in its place.
import { ApiError, deleteRatings, getCsrfToken, getRatings, isLoggedIn, login, logout, type Rating } from './api';
import { el } from './dom';

const main = document.querySelector('main') as HTMLElement;
const form = document.querySelector('form') as HTMLFormElement;
const [csrf, username, password] = ['csrf-token', 'username', 'password'].map(
  (id) => document.getElementById(id) as HTMLInputElement,
) as [HTMLInputElement, HTMLInputElement, HTMLInputElement];
const loginError = document.getElementById('login-error') as HTMLElement;
const loginView = Array.from(main.childNodes);

async function showLogin(): Promise<void> {
  main.replaceChildren(...loginView);
  loginError.textContent = '';
  try {
    csrf.value = await getCsrfToken();
  } catch {
    // the login itself will tell
  }
}

function describe(rating: Rating): string {
  return `Rating ID: ${rating.id} (stars=${rating.stars}, pizza_id=${rating.pizza_id})`;
}

function drawRatings(ratings: Rating[]): HTMLElement {
  if (ratings.length === 0) return el('p', {}, 'No ratings yet');
  return el('ul', {}, ...ratings.map((rating) => el('li', {}, describe(rating))));
}

async function showProfile(): Promise<void> {
  const list = el('div', {});
  const error = el('p', { role: 'alert' });
  const clear = el('button', { type: 'button', class: 'quiet' }, 'Clear Ratings');
  const leave = el('button', { type: 'button' }, 'Logout');
  const refresh = async (): Promise<void> => list.replaceChildren(drawRatings(await getRatings()));
  const attempt = (work: () => Promise<void>): void => {
    error.textContent = '';
    work().catch((reason: Error) => (error.textContent = reason.message));
  };
  clear.addEventListener('click', () =>
    attempt(async () => {
      await deleteRatings();
      await refresh();
    }),
  );
  leave.addEventListener('click', () =>
    attempt(async () => {
      await logout();
      await showLogin();
    }),
  );
  main.replaceChildren(
    el('h1', {}, 'Profile'),
    el('div', { class: 'card' }, el('h2', {}, 'Your Pizza Ratings:'), list, clear, leave, error),
    el('p', {}, el('a', { href: '/' }, 'Back to main page')),
  );
  attempt(refresh);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  loginError.textContent = '';
  login(username.value, password.value, csrf.value).then(
    () => {
      password.value = '';
      return showProfile();
    },
    (reason: Error) => {
      const why = reason instanceof ApiError ? reason.statusText || String(reason.status) : reason.message;
      loginError.textContent = `Login failed: ${why}`;
    },
  );
});

void isLoggedIn().then((isKnown) => (isKnown ? showProfile() : showLogin()));
