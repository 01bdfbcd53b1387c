// A pizza in TypeScript, with a check of what it is made of.
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL: string = __ENV.BASE_URL || 'http://localhost:3333';

interface Ingredient {
  ID: number;
  name: string;
  caloriesPerSlice: number;
  vegetarian: boolean;
}

interface Recommendation {
  pizza: { id: number; name: string; ingredients: Ingredient[]; tool: string };
  calories: number;
  vegetarian: boolean;
}

export const options = {
  vus: 2,
  duration: '3s',
  thresholds: { checks: ['rate==1'] },
};

export default function (): void {
  const wish = { mustBeVegetarian: true, maxNumberOfToppings: 4 };
  const res = http.post(`${BASE_URL}/api/pizza`, JSON.stringify(wish), {
    headers: { 'Content-Type': 'application/json', Authorization: 'Token abcdef0123456789' },
  });
  const found = res.json() as unknown as Recommendation;
  check(res, {
    'status is 200': (r) => r.status === 200,
    'all of it is vegetarian': () => found.vegetarian && found.pizza.ingredients.every((i: Ingredient) => i.vegetarian),
    'calories add up': () =>
      found.calories === found.pizza.ingredients.reduce((sum: number, i: Ingredient) => sum + i.caloriesPerSlice, 0),
  });
  console.log(`${found.pizza.name} (${found.pizza.ingredients.length} ingredients)`);
  sleep(0.5);
}
