// The box of restrictions, shown when "Advanced" is ticked.
import type { Restrictions } from './api';
import { el } from './dom';

function numberInput(label: string, id: string, value: number): [HTMLElement, HTMLInputElement] {
  const input = el('input', { type: 'number', id, value, min: 0, step: 1 });
  return [el('div', { class: 'field' }, el('label', { for: id }, label), input), input];
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
    const [caloriesField, calories] = numberInput('Max Calories per Slice', 'max-calories', 1000);
    const [minField, min] = numberInput('Min Number of Toppings', 'min-toppings', 2);
    const [maxField, max] = numberInput('Max Number of Toppings', 'max-toppings', 5);
    this.maxCalories = calories;
    this.minToppings = min;
    this.maxToppings = max;
    this.tools = el('select', { id: 'excluded-tools', multiple: true, size: 3 });
    this.vegetarian = el('input', { type: 'checkbox', id: 'default-checkbox' });
    this.customName = el('input', { type: 'text', id: 'custom-name', maxlength: 64, autocomplete: 'off' });
    this.element = el(
      'fieldset',
      { id: 'advanced-box', hidden: true },
      el('legend', {}, 'Advanced options'),
      caloriesField,
      minField,
      maxField,
      el('div', { class: 'field' }, el('label', { for: 'excluded-tools' }, 'Excluded tools'), this.tools),
      el('div', { class: 'field' }, el('label', { for: 'custom-name' }, 'Custom Pizza Name:'), this.customName),
      el('div', { class: 'check' }, this.vegetarian, el('label', { for: 'default-checkbox' }, 'Must be vegetarian')),
    );
  }

  setTools(tools: string[]): void {
    this.tools.replaceChildren(...tools.map((tool) => el('option', { value: tool }, tool)));
  }

  show(isShown: boolean): void {
    this.element.hidden = !isShown;
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
