// The recommendation with its rating buttons, or the error in its place.
import { ApiError, postRating, type Pizza, type Recommendation } from './api';
import { el } from './dom';

function drawRating(pizza: Pizza): HTMLElement {
  const result = el('p', { id: 'rate-result', role: 'status' });
  const rate = async (stars: number): Promise<void> => {
    try {
      await postRating(pizza.id, stars);
      result.textContent = 'Rated!';
    } catch (error) {
      const isStranger = error instanceof ApiError && error.status === 401;
      result.textContent = isStranger ? 'Please log in first.' : `Rating failed: ${(error as Error).message}`;
    }
  };
  const no = el('button', { type: 'button', name: 'rate-1', class: 'quiet' }, 'No thanks');
  const yes = el('button', { type: 'button', name: 'rate-5' }, 'Love it!');
  no.addEventListener('click', () => void rate(1));
  yes.addEventListener('click', () => void rate(5));
  return el('div', { class: 'rating' }, no, yes, result);
}

export function drawRecommendation({ pizza, calories }: Recommendation): HTMLElement[] {
  const card = el(
    'div',
    { id: 'recommendations', class: 'card' },
    el('h2', { id: 'pizza-name' }, 'Our recommendation:'),
    // Each line is one text of its own: scripts look for it whole (getByText('Name: My Pizza')).
    el('p', {}, `Name: ${pizza.name}`),
    el('p', {}, `Dough: ${pizza.dough.name}`),
    el('p', {}, 'Ingredients:'),
    el('ul', {}, ...pizza.ingredients.map((ingredient) => el('li', {}, ingredient.name))),
    el('p', {}, `Tool: ${pizza.tool}`),
    el('p', {}, `Calories per slice: ${calories}`),
  );
  return [card, drawRating(pizza)];
}

export function drawError(message: string): HTMLElement {
  return el('p', { class: 'card' }, el('span', { id: 'error-message' }, message));
}
