import http from 'k6/http';
import { check } from 'k6';

export const options = { vus: 50, duration: __ENV.SECONDS + 's' };

export default function () {
  const body = JSON.stringify({ maxCaloriesPerSlice: 500, excludedIngredients: ['pepperoni'], minNumberOfToppings: 2 });
  const res = http.post(__ENV.URL, body, { headers: { 'Content-Type': 'application/json' } });
  check(res, {
    'is status 200': (r) => r.status === 200,
    'has a name': (r) => r.json().pizza.name === 'The Bench Margherita',
  });
}
