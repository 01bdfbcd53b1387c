// Users that were put into Redis before, each taken by one VU only.
//   redis-server --port 6379 &   kiln run -e REDIS_URL=redis://localhost:6379 examples/redis.js
import { check } from 'k6';
import exec from 'k6/execution';
import { Client } from 'k6/x/redis';

const redis = new Client(__ENV.REDIS_URL || 'redis://localhost:6379');

export const options = { vus: 5, iterations: 50 };

export async function setup() {
    const users = Array.from({ length: 50 }, (_, i) => `user-${i}`);
    await redis.del('example:users', 'example:seen');
    await redis.sadd('example:users', ...users);
}

export default async function () {
    const user = await redis.spop('example:users');
    // These three leave together.
    const [seen, total, name] = await Promise.all([
        redis.sadd('example:seen', user),
        redis.hincrby('example:by-vu', `vu-${exec.vu.idInTest}`, 1),
        redis.get(`example:name:${user}`).catch((e) => e.error()),
    ]);
    check(seen, { 'nobody had this user before': (n) => n === 1 });
    check(name, { 'a key that is not there': (words) => words === 'redis: nil' });
    check(total, { 'counted': (n) => n >= 1 });
}

export async function teardown() {
    console.log(`seen: ${await redis.sendCommand('SCARD', 'example:seen')}`);
    await redis.del('example:users', 'example:seen', 'example:by-vu');
}
