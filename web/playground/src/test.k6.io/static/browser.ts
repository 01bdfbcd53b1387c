// The behaviour of /browser.php: each control reports what happened to it in the paragraph beside it.
function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id}`);
  return found as T;
}

function say(id: string, text: string): void {
  element(id).textContent = text;
}

function showNetwork(): void {
  say('network-info-display', `Network Status: ${navigator.onLine}`);
}

function showCookies(): void {
  say('cookies-info-display', `Cookies: ${document.cookie}`);
}

say('locale-info-display', navigator.languages[0] ?? navigator.language);
say('timezone-info-display', `Timezone: ${Intl.DateTimeFormat().resolvedOptions().timeZone}`);
say('useragent-info-display', `Your UserAgent: ${navigator.userAgent}`);
showNetwork();
showCookies();

element('network-button').addEventListener('click', showNetwork);
element('cookies-button').addEventListener('click', showCookies);
element('geolocation-button').addEventListener('click', () => {
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    say('geolocation-info-display', `Lat: ${coords.latitude.toFixed(2)} Long: ${coords.longitude.toFixed(2)}`);
  });
});

const checkbox = element<HTMLInputElement>('checkbox1');
checkbox.addEventListener('click', () => {
  say('checkbox-info-display', checkbox.checked ? 'Thanks for checking the box' : "You've just unchecked the box");
});

let count = 0;
element('counter-button').addEventListener('click', () => {
  console.log(count);
  count += 1;
  console.log(count);
  say('counter-info-display', `Counter: ${count}`);
});

const text = element<HTMLInputElement>('text1');
text.addEventListener('focus', () => say('text-info-display', 'focused on input text field'));
text.addEventListener('focusout', () => say('text-info-display', 'focused out off input text field'));
text.addEventListener('input', () => {
  const filled = 'Thanks for filling in the input text field';
  const emptied = "You've just removed everything from the input text field";
  say('text-info-display', text.value === '' ? emptied : filled);
});

const numbers = element<HTMLSelectElement>('numbers-options');
numbers.addEventListener('change', () => {
  const values = Array.from(numbers.selectedOptions, (option) => `${option.value} `);
  say('select-multiple-info-display', `Selected: ${values.join('')}`);
});
