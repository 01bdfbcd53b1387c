// The server's answers as types, and the calls of the page.
export interface Ingredient {
  ID: number;
  name: string;
  caloriesPerSlice: number;
  vegetarian: boolean;
}

export interface Pizza {
  id: number;
  name: string;
  dough: { ID: number; name: string; caloriesPerSlice: number };
  ingredients: Ingredient[];
  tool: string;
}

export interface Recommendation {
  pizza: Pizza;
  calories: number;
  vegetarian: boolean;
}

export interface Restrictions {
  maxCaloriesPerSlice: number;
  mustBeVegetarian: boolean;
  excludedIngredients: string[];
  excludedTools: string[];
  maxNumberOfToppings: number;
  minNumberOfToppings: number;
  customName: string;
}

// A failed call: its message is what the server said, or the status.
export class ApiError extends Error {}

async function json<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  let message = `${response.status} ${response.statusText}`.trim();
  try {
    const body = (await response.json()) as { error?: string };
    if (body.error) message = body.error;
  } catch {
    // an error without a body: the status says it
  }
  throw new ApiError(message);
}

function randomToken(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => letters[byte % letters.length]).join('');
}

// A number of six digits that stands for this page; the server's log shows it as the user.
export const visitorId = 100000 + Math.floor(Math.random() * 900000);
const identity = { Authorization: `Token ${randomToken()}`, 'X-User-ID': String(visitorId) };

export async function getQuotes(): Promise<string[]> {
  return (await json<{ quotes: string[] }>(await fetch('/api/quotes'))).quotes;
}

export async function getTools(): Promise<string[]> {
  return (await json<{ tools: string[] }>(await fetch('/api/tools', { headers: identity }))).tools;
}

export async function postPizza(restrictions: Restrictions): Promise<Recommendation> {
  const response = await fetch('/api/pizza', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...identity },
    body: JSON.stringify(restrictions),
  });
  return json<Recommendation>(response);
}

export async function adminLogin(user: string, password: string): Promise<void> {
  const query = new URLSearchParams({ user, password });
  await json(await fetch(`/api/admin/login?${query}`, { method: 'POST' }));
}

export async function getHistory(): Promise<Pizza[]> {
  return (await json<{ pizzas: Pizza[] }>(await fetch('/api/internal/recommendations'))).pizzas;
}
