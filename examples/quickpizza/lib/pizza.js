// What the scripts of this folder share: where the playground is, and how to ask it for a pizza.
import http from 'k6/http';

export const BASE_URL = __ENV.BASE_URL || 'http://localhost:3333';
export const DEFAULT_TOKEN = 'abcdef0123456789';

export const restrictions = {
  maxCaloriesPerSlice: 500,
  mustBeVegetarian: false,
  excludedIngredients: ['pepperoni'],
  excludedTools: ['knife'],
  maxNumberOfToppings: 6,
  minNumberOfToppings: 2,
};

export function authorized(token = DEFAULT_TOKEN, headers = {}) {
  return { headers: { 'Content-Type': 'application/json', Authorization: `Token ${token}`, ...headers } };
}

// A recommendation; `wishes` are added to the restrictions above.
export function orderPizza(token, wishes = {}, headers = {}) {
  return http.post(`${BASE_URL}/api/pizza`, JSON.stringify({ ...restrictions, ...wishes }), authorized(token, headers));
}
