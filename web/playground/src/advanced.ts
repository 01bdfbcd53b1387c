// The box of restrictions, on the page while "Advanced" is ticked.
import type { Restrictions } from './api';
import { el } from './dom';

// The three inputs share an id, by which scripts find them; so each stands inside its label, which
// names it without an id.
function numberInput(label: string, value: number): [HTMLElement, HTMLInputElement] {
  const input = el('input', { type: 'number', id: 'floating_filled', value, min: 0, step: 1 });
  return [el('label', { class: 'field' }, el('span', {}, label), input), input];
}

export class Advanced {
  readonly element: HTMLFieldSetElement;
  private readonly maxCalories: HTMLInputElement;
  private readonly minToppings: HTMLInputElement;
  private readonly maxToppings: HTMLInputElement;
  private readonly customName: HTMLInputElement;
  private readonly vegetarian: HTMLInputElement;
  private readonly tools: HTMLSelectElement;

  constructor() {
    const [caloriesField, calories] = numberInput('Max Calories per Slice', 1000);
    const [minField, min] = numberInput('Min Number of Toppings', 2);
    const [maxField, max] = numberInput('Max Number of Toppings', 5);
    this.maxCalories = calories;
    this.minToppings = min;
    this.maxToppings = max;
    this.tools = el('select', { id: 'excluded-tools', multiple: true, size: 3 });
    this.vegetarian = el('input', { type: 'checkbox', id: 'default-checkbox' });
    this.customName = el('input', { type: 'text', id: 'pizza-name', maxlength: 64, autocomplete: 'off' });
    this.element = el(
      'fieldset',
      { id: 'advanced-box' },
      el('legend', {}, 'Advanced options'),
      caloriesField,
      minField,
      maxField,
      el('div', { class: 'field' }, el('label', { for: 'excluded-tools' }, 'Excluded tools'), this.tools),
      el('label', { class: 'field' }, el('span', {}, 'Custom Pizza Name:'), this.customName),
      el('div', { class: 'check' }, this.vegetarian, el('label', { for: 'default-checkbox' }, 'Must be vegetarian')),
    );
  }

  setTools(tools: string[]): void {
    this.tools.replaceChildren(...tools.map((tool) => el('option', { value: tool }, tool)));
  }

  restrictions(): Restrictions {
    return {
      maxCaloriesPerSlice: Math.trunc(this.maxCalories.valueAsNumber) || 0,
      mustBeVegetarian: this.vegetarian.checked,
      excludedIngredients: [],
      excludedTools: Array.from(this.tools.selectedOptions, (option) => option.value),
      maxNumberOfToppings: Math.trunc(this.maxToppings.valueAsNumber) || 0,
      minNumberOfToppings: Math.trunc(this.minToppings.valueAsNumber) || 0,
      customName: this.customName.value,
    };
  }
}
