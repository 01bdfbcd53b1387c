import { WebSocket } from 'k6/websockets';

const SECONDS = Number(__ENV.SECONDS), SOCKETS = Number(__ENV.SOCKETS), OPENING_MS = Number(__ENV.OPENING_MS);

export const options = {
  scenarios: { sockets: { executor: 'per-vu-iterations', vus: Number(__ENV.VUS), iterations: 1, maxDuration: '5m' } },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'p(99.9)', 'max'],
  summaryTimeUnit: 'us',
};

function begin() {
  const ws = new WebSocket(__ENV.URL);
  ws.onopen = () => {
    const beat = setInterval(() => (__ENV.PING ? ws.ping() : ws.send('a message of fifty bytes, about as long as many'))
      , Number(__ENV.EVERY_MS));
    setTimeout(() => { clearInterval(beat); setTimeout(() => ws.close(), 300); }, SECONDS * 1000);
  };
  ws.onerror = (e) => console.error(e.error);
}

export default function () {
  for (let i = 0; i < SOCKETS; i++) setTimeout(begin, Math.random() * OPENING_MS);
}
