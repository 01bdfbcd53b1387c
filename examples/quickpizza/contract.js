// What the API promises, as a test of its behaviour rather than of its speed: `describe` and `expect` of k6chaijs.
import http from 'k6/http';
import chai, { describe, expect } from 'https://jslib.k6.io/k6chaijs/4.5.0.1/index.js';
import { BASE_URL, authorized, orderPizza } from './lib/pizza.js';

chai.config.exitOnError = true;

export const options = { vus: 1, iterations: 1, thresholds: { checks: ['rate==1'] } };

const get = (path, params) => http.get(`${BASE_URL}${path}`, params);
const post = (path, body, params) => http.post(`${BASE_URL}${path}`, body === null ? null : JSON.stringify(body), params);

export default function () {
  describe('the catalog', () => {
    expect(get('/api/tools', authorized()).json('tools')).to.have.members(['Knife', 'Pizza cutter', 'Scissors']);
    expect(get('/api/doughs', authorized()).json('doughs')).to.have.lengthOf(3);
    for (const kind of ['olive_oil', 'tomato', 'mozzarella', 'topping']) {
      expect(get(`/api/ingredients/${kind}`, authorized()).json('ingredients'), kind).to.be.an('array').that.is.not.empty;
    }
    expect(get('/api/ingredients/gold', authorized()).status).to.equal(400);
    for (const [path, key] of [['quotes', 'quotes'], ['names', 'names'], ['adjectives', 'adjectives']]) {
      expect(get(`/api/${path}`).json(key), path).to.be.an('array').that.is.not.empty;
    }
  });

  describe('who may ask', () => {
    const refused = post('/api/pizza', {});
    expect(refused.status).to.equal(401);
    expect(refused.json()).to.deep.equal({ error: 'authentication failed' });
    expect(post('/api/pizza', {}, { headers: { 'X-User-ID': '23423' } }).status, 'a customer id').to.equal(200);
    expect(post('/api/users/token/authenticate', null, authorized('tooshort')).status).to.equal(401);
    const somebody = post('/api/users/token/authenticate', null, authorized('aaaaaaaaaaaaaaaa'));
    expect(somebody.json('username'), 'a token nobody has').to.equal('default');
  });

  describe('a pizza', () => {
    const made = orderPizza(undefined, { customName: 'a'.repeat(100) });
    expect(made.status).to.equal(200);
    expect(made.json('pizza.name')).to.equal('a'.repeat(64));
    expect(made.json('calories')).to.be.a('number').that.is.at.most(500);
    expect(get(`/api/pizza/${made.json('pizza.id')}`, authorized()).json()).to.deep.equal(made.json('pizza'));
    const wrong = orderPizza(undefined, { maxCaloriesPerSlice: 'many' });
    expect(wrong.status).to.equal(400);
    expect(wrong.json('error')).to.include('maxCaloriesPerSlice');
  });

  describe('the history of the kitchen', () => {
    expect(get('/api/internal/recommendations').status).to.equal(401);
    expect(post('/api/admin/login?user=admin&password=admin', null).json('token')).to.have.lengthOf(20);
    expect(get('/api/internal/recommendations').json('pizzas')).to.be.an('array').that.is.not.empty;
  });

  describe('pages of test.k6.io', () => {
    expect(get('/flip_coin.php?bet=heads').body).to.match(/You (won|lost)!/);
    expect(get('/pi.php?decimals=5').body).to.equal('3.14159');
  });

  describe('operations', () => {
    expect(get('/ready').status).to.equal(200);
    expect(get('/metrics').body).to.include('quickpizza_server_pizza_recommendations_total');
  });
}
