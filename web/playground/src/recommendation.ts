// The recommendation, or the error in its place.
import type { Recommendation } from './api';
import { el } from './dom';

export function drawRecommendation({ pizza, calories }: Recommendation): HTMLElement {
  return el(
    'div',
    { id: 'recommendations', class: 'card' },
    el('h2', { id: 'pizza-name' }, 'Our recommendation:'),
    el('p', {}, el('b', {}, 'Name: '), pizza.name),
    el('p', {}, el('b', {}, 'Dough: '), pizza.dough.name),
    el('p', {}, el('b', {}, 'Ingredients:')),
    el('ul', {}, ...pizza.ingredients.map((ingredient) => el('li', {}, ingredient.name))),
    el('p', {}, el('b', {}, 'Tool: '), pizza.tool),
    el('p', {}, el('b', {}, 'Calories per slice: '), String(calories)),
  );
}

export function drawError(message: string): HTMLElement {
  return el('p', { class: 'card' }, el('span', { id: 'error-message' }, message));
}
