import grpc from 'k6/net/grpc';
import { Counter } from 'k6/metrics';

export const options = { vus: 50, duration: __ENV.SECONDS + 's' };
const CALLS = 50; // an iteration
const good = new Counter('good_calls');
const client = new grpc.Client();
client.load(['../../tests/scenario/grpc'], 'probe.proto');

export default function () {
  if (__ITER === 0) client.connect(__ENV.ADDRESS, { plaintext: true });
  let n = 0;
  for (let i = 0; i < CALLS; i++) {
    const response = client.invoke('probe.v1.Probe/Echo', { text: 'margherita', times: 3 });
    if (response.status === grpc.StatusOK && response.message.number === '42') n++;
  }
  good.add(n);
}
