// A stream in both directions. The playground's one such method is that of server reflection: it is asked
// which services there are, and then for the file of each.
import grpc from 'k6/net/grpc';

const client = new grpc.Client();

export default function () {
  client.connect(__ENV.GRPC_ADDRESS || 'localhost:3334', { plaintext: true, reflect: true });
  const stream = new grpc.Stream(client, 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
  let expected = 0;

  stream.on('data', (answer) => {
    if (answer.listServicesResponse) {
      const services = answer.listServicesResponse.service;
      expected = services.length;
      for (const { name } of services) stream.write({ fileContainingSymbol: name });
      return;
    }
    const bytes = answer.fileDescriptorResponse.fileDescriptorProto[0].length * 3 / 4;
    console.log(`${answer.originalRequest.fileContainingSymbol}: about ${Math.round(bytes)} bytes`);
    if (--expected === 0) stream.end();
  });
  stream.on('error', (e) => console.error(e.code, e.message));
  stream.on('end', () => {
    console.log('no more');
    client.close();
  });

  stream.write({ listServices: '*' });
}
