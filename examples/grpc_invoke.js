// Unary calls with a .proto file.
import grpc from 'k6/net/grpc';
import { check, sleep } from 'k6';

const client = new grpc.Client();
client.load(['definitions'], 'quickpizza.proto');

export default function () {
  if (__ITER === 0) client.connect(__ENV.GRPC_ADDRESS || 'localhost:3334', { plaintext: true });
  const pizza = { ingredients: ['Tomatoes', 'Mozzarella'], dough: 'Thin' };
  const response = client.invoke('quickpizza.GRPC/RatePizza', pizza, { tags: { kind: 'rating' }, timeout: '5s' });
  check(response, {
    'status is OK': (r) => r.status === grpc.StatusOK,
    'has a rating': (r) => r.message.starsRating >= 0 && r.message.starsRating <= 5,
  });
  sleep(0.1);
}
