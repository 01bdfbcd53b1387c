// Load on the API and a few browsers in one test: what users see while the server is busy. SECONDS is its length.
import { browser } from 'k6/browser';
import http from 'k6/http';
import { check, sleep } from 'k6';

import { LoginPage } from './pages/login.js';
import { RecommendationsPage } from './pages/recommendations.js';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';
const SECONDS = Number(__ENV.SECONDS || 30);
const part = (share) => `${Math.ceil(SECONDS * share)}s`;
const journey = (exec) => ({ executor: 'constant-vus', vus: 1, duration: part(1), options: { browser: { type: 'chromium' } }, exec });

export const options = {
  scenarios: {
    smoke: { executor: 'constant-vus', exec: 'getPizza', vus: 1, duration: part(1 / 3) },
    stress: {
      executor: 'ramping-vus',
      exec: 'getPizza',
      startTime: part(1 / 3),
      stages: [{ duration: part(1 / 6), target: 5 }, { duration: part(1 / 3), target: 5 }, { duration: part(1 / 6), target: 0 }],
    },
    pizzaRecommendations: journey('pizzaRecommendations'),
    admin: journey('admin'),
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<500', 'p(99)<1000'],
    browser_web_vital_fcp: ['p(95) < 3000'],
    browser_web_vital_lcp: ['p(95) < 4000'],
  },
};

export function getPizza() {
  const restrictions = { maxCaloriesPerSlice: 500, mustBeVegetarian: false, excludedIngredients: ['pepperoni'], excludedTools: ['knife'],
    maxNumberOfToppings: 6, minNumberOfToppings: 2 };
  const res = http.post(`${BASE_URL}/api/pizza`, JSON.stringify(restrictions),
    { headers: { 'Content-Type': 'application/json', Authorization: 'token abcdef0123456789' } });
  check(res, { 'status is 200': (r) => r.status === 200 });
  sleep(1);
}

export async function admin() {
  const page = await browser.newPage();
  try {
    const login = new LoginPage(page);
    await login.goto(BASE_URL);
    await login.login();
    check(await login.logoutText(), { 'logout button text': (text) => text === 'Logout' });
  } finally {
    await page.close();
  }
}

export async function pizzaRecommendations() {
  const page = await browser.newPage();
  const recommendations = new RecommendationsPage(page);
  try {
    await recommendations.goto(BASE_URL);
    check(await recommendations.headingText(), { header: (text) => text === 'Looking to break out of your pizza routine?' });
    await recommendations.askForPizza();
    check(await recommendations.recommendationsText(), { recommendation: (text) => text !== '' });
  } finally {
    await page.close();
  }
}
