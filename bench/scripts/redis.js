// GET of a key by every VU: PIPELINE commands at a time, ROUNDS times an iteration.
import { Client } from 'k6/x/redis';

const client = new Client(__ENV.URL), pipeline = Number(__ENV.PIPELINE), rounds = Number(__ENV.ROUNDS);

export const options = { vus: 50, duration: `${__ENV.SECONDS}s` };

export default async function () {
  const commands = new Array(pipeline);
  for (let round = 0; round < rounds; round++) {
    if (pipeline === 1) {
      await client.get('key');
    } else {
      for (let i = 0; i < pipeline; i++) commands[i] = client.get('key');
      await Promise.all(commands);
    }
  }
}
