// The server's answers as types, and the calls of the pages.
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

export interface Rating {
  id: number;
  stars: number;
  pizza_id: number;
}

// A failed call: its message is what the server said, or the status.
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly statusText: string,
  ) {
    super(message);
  }
}

// The answer to a call; throws ApiError for a status of failure.
async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, init);
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`.trim();
  try {
    const body = (await response.json()) as { error?: string };
    if (body.error) message = body.error;
  } catch {
    // an error without a body: the status says it
  }
  throw new ApiError(message, response.status, response.statusText);
}

async function json<T>(path: string, init?: RequestInit): Promise<T> {
  return (await (await call(path, init)).json()) as T;
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

function randomToken(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => letters[byte % letters.length]).join('');
}

// ---------------------------------------------------------------- who we are

// A number of six digits that stands for this page; the server's log shows it as the user of a page
// where nobody is logged in.
export const visitorId = 100000 + Math.floor(Math.random() * 900000);
const stranger = { Authorization: `Token ${randomToken()}`, 'X-User-ID': String(visitorId) };

export function hasCookie(name: string): boolean {
  return document.cookie.split('; ').some((cookie) => cookie.startsWith(`${name}=`) && cookie.length > name.length + 1);
}

// Those who are logged in are known by their cookie.
function identity(): Record<string, string> {
  return hasCookie('qp_user_token') ? {} : stranger;
}

// ---------------------------------------------------------------- calls

export async function getConfig(): Promise<Record<string, string>> {
  return json('/api/config');
}

export async function getQuotes(): Promise<string[]> {
  return (await json<{ quotes: string[] }>('/api/quotes')).quotes;
}

export async function getTools(): Promise<string[]> {
  return (await json<{ tools: string[] }>('/api/tools', { headers: identity() })).tools;
}

export async function postPizza(restrictions: Restrictions): Promise<Recommendation> {
  return json('/api/pizza', post(restrictions, identity()));
}

// Needs a login: the call says nothing but the cookie.
export async function postRating(pizzaId: number, stars: number): Promise<void> {
  await call('/api/ratings', post({ pizza_id: pizzaId, stars }));
}

export async function getRatings(): Promise<Rating[]> {
  return (await json<{ ratings: Rating[] }>('/api/ratings')).ratings;
}

export async function deleteRatings(): Promise<void> {
  await call('/api/ratings', { method: 'DELETE' });
}

// The token that a login has to show lies in a cookie.
export async function getCsrfToken(): Promise<string> {
  await call('/api/csrf-token', { method: 'POST' });
  return /(?:^|; )csrf_token=([^;]*)/.exec(document.cookie)?.[1] ?? '';
}

export async function login(username: string, password: string, csrf: string): Promise<void> {
  await call('/api/users/token/login?set_cookie=true', post({ username, password, csrf }));
}

export async function logout(): Promise<void> {
  await call('/api/users/token/logout', { method: 'POST' });
}

// Is the cookie that is there a user's?
export async function isLoggedIn(): Promise<boolean> {
  if (!hasCookie('qp_user_token')) return false;
  try {
    await call('/api/users/token/authenticate', { method: 'POST' });
    return true;
  } catch {
    return false;
  }
}

export async function adminLogin(user: string, password: string): Promise<void> {
  const query = new URLSearchParams({ user, password });
  await call(`/api/admin/login?${query}`, { method: 'POST' });
}

export async function getHistory(): Promise<Pizza[]> {
  return (await json<{ pizzas: Pizza[] }>('/api/internal/recommendations')).pizzas;
}
