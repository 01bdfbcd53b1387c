// The way of a user through the API: sign-up, login with a CSRF token and a cookie, a pizza, ratings, logout.
import http from 'k6/http';
import { check, fail, group } from 'k6';
import { randomString } from 'https://jslib.k6.io/k6-utils/1.4.0/index.js';
import { BASE_URL, orderPizza } from './lib/pizza.js';

export const options = { vus: 3, iterations: 9, thresholds: { checks: ['rate==1'] } };

const json = { headers: { 'Content-Type': 'application/json' } };

export default function () {
  const account = { username: `guest-${randomString(12)}`, password: 'correct horse' };
  group('sign up', () => {
    const res = http.post(`${BASE_URL}/api/users`, JSON.stringify(account), json);
    if (!check(res, { 'the account is there': (r) => r.status === 201 })) {
      fail(`no account: ${res.status} ${res.body}`);
    }
    const again = http.post(`${BASE_URL}/api/users`, JSON.stringify(account), {
      ...json,
      responseCallback: http.expectedStatuses(400),
    });
    check(again, { 'a name is given once': (r) => r.json('error') === 'username already taken' });
  });

  let token;
  group('log in', () => {
    const csrf = http.post(`${BASE_URL}/api/csrf-token`).cookies.csrf_token[0].value;
    const wrong = http.post(
      `${BASE_URL}/api/users/token/login?set_cookie=true`,
      JSON.stringify({ ...account, csrf: 'x' }),
      { ...json, responseCallback: http.expectedStatuses(401) },
    );
    check(wrong, { 'a wrong CSRF token is refused': (r) => r.json('error') === 'invalid csrf token' });
    const res = http.post(
      `${BASE_URL}/api/users/token/login?set_cookie=true`,
      JSON.stringify({ ...account, csrf }),
      json,
    );
    token = res.json('token');
    check(res, {
      'a token of 16 characters': () => token.length === 16,
      'and a cookie with it': (r) => r.cookies.qp_user_token[0].value === token,
    });
    // From here on the VU's cookie jar says who we are.
    const me = http.post(`${BASE_URL}/api/users/token/authenticate`);
    check(me, { 'it is us': (r) => r.json('username') === account.username });
  });

  group('rate', () => {
    const pizza = orderPizza(token).json('pizza');
    const res = http.post(`${BASE_URL}/api/ratings`, JSON.stringify({ pizza_id: pizza.id, stars: 5 }), json);
    check(res, { 'rated': (r) => r.status === 201 && r.json('stars') === 5 });
    const path = `${BASE_URL}/api/ratings/${res.json('id')}`;
    check(http.put(path, JSON.stringify({ stars: 4 }), json), { 'thought better of': (r) => r.json('stars') === 4 });
    check(http.get(`${BASE_URL}/api/ratings`), { 'one rating is ours': (r) => r.json('ratings').length === 1 });
    check(http.del(path), { 'taken back': (r) => r.status === 204 });
  });

  check(http.post(`${BASE_URL}/api/users/token/logout`), { 'logged out': (r) => r.status === 200 });
  check(
    http.post(`${BASE_URL}/api/users/token/authenticate`, null, { responseCallback: http.expectedStatuses(401) }),
    { 'nobody any more': (r) => r.status === 401 },
  );
}
