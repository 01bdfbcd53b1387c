// Page objects: what is on a page stands in one place, the test says what is done.
import { browser } from 'k6/browser';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

import { LoginPage } from './pages/login.js';
import { Performance } from './pages/performance.js';
import { RecommendationsPage } from './pages/recommendations.js';

const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';
const journey = (exec) => ({ executor: 'shared-iterations', options: { browser: { type: 'chromium' } }, exec });

export const options = {
  scenarios: {
    pizzaRecommendations: journey('pizzaRecommendations'),
    admin: journey('admin'),
  },
};

const totalActionTime = new Trend('total_action_time', true);

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
  const recommendations = new RecommendationsPage(page), performance = new Performance(page);
  try {
    await recommendations.goto(BASE_URL);
    await performance.mark('page-visit');
    check(await recommendations.headingText(), { header: (text) => text === 'Looking to break out of your pizza routine?' });
    await recommendations.askForPizza();
    await performance.mark('recommendations-returned');
    check(await recommendations.recommendationsText(), { recommendation: (text) => text !== '' });
    totalActionTime.add(await performance.between('page-visit', 'recommendations-returned'));
  } finally {
    await page.close();
  }
}
