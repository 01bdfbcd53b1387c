// Everybody on /ws hears everybody: one listener counts what ten senders say.
import { check } from 'k6';
import { Counter } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

const URL = `${(__ENV.BASE_URL || 'http://localhost:3333').replace(/^http/, 'ws')}/ws`;
const SENDERS = 10;
const heard = new Counter('quickpizza_messages_heard');

export const options = {
  scenarios: {
    listener: { executor: 'shared-iterations', exec: 'listen', vus: 1, iterations: 1, maxDuration: '20s' },
    senders: { executor: 'shared-iterations', exec: 'send', vus: SENDERS, iterations: SENDERS, startTime: '1s' },
  },
  thresholds: { checks: ['rate==1'], quickpizza_messages_heard: [`count==${2 * SENDERS}`] },
};

export function send() {
  const ws = new WebSocket(URL);
  const say = (msg) => ws.send(JSON.stringify({ ws_visitor_id: `VU ${__VU}`, msg }));
  ws.addEventListener('open', () => {
    say('order_pizza');
    setTimeout(() => {
      say('pizza_status?');
      ws.close();
    }, 200);
  });
}

export function listen() {
  const orders = {};
  let count = 0;
  const ws = new WebSocket(URL);
  ws.addEventListener('message', (event) => {
    const { ws_visitor_id: who, msg } = JSON.parse(event.data);
    orders[who] = [...(orders[who] || []), msg];
    heard.add(1);
    if (++count === 2 * SENDERS) {
      ws.close();
    }
  });
  ws.addEventListener('close', () => {
    check(orders, {
      'every visitor was heard': (o) => Object.keys(o).length === SENDERS,
      'in the order of what was said': (o) => Object.values(o).every((m) => m.join() === 'order_pizza,pizza_status?'),
    });
  });
}
