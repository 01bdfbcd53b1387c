// No files: the server says what its services look like. A health check before the run.
import grpc from 'k6/net/grpc';
import { check } from 'k6';

const address = __ENV.GRPC_ADDRESS || 'localhost:3334';
const client = new grpc.Client();

export function setup() {
  client.connect(address, { plaintext: true });
  if (client.healthCheck().status !== grpc.HealthCheckServing) throw new Error('the server is not ready');
  client.close();
}

export default function () {
  client.connect(address, { plaintext: true, reflect: true });
  const response = client.invoke('quickpizza.GRPC/Status', {});
  check(response, { 'is ready': (r) => r.status === grpc.StatusOK && r.message.ready });
  client.close();
}
