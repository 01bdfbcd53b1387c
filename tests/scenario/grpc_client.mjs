// gRPC's own client (grpc-js) asks the playground: node grpc_client.mjs ADDRESS. Prints JSON.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../.deps/grpc-js/package.json'));
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');
const descriptor = require('protobufjs/ext/descriptor');

const address = process.argv[2];
const load = (path) => grpc.loadPackageDefinition(loader.loadSync(path, { defaults: true, enums: String }));
const reflectionFolder = join(dirname(require.resolve('@grpc/reflection/package.json')), 'build/proto/grpc/reflection/v1');
const healthFolder = join(dirname(require.resolve('grpc-health-check/package.json')), 'proto');
const insecure = grpc.credentials.createInsecure();
const pizza = new (load(join(here, '../../examples/definitions/quickpizza.proto')).quickpizza.GRPC)(address, insecure);
const health = new (load(join(healthFolder, 'health/v1/health.proto')).grpc.health.v1.Health)(address, insecure);
const reflection = new (load(join(reflectionFolder, 'reflection.proto')).grpc.reflection.v1.ServerReflection)(address, insecure);
const call = (client, method, request) => promisify(client[method].bind(client))(request).catch((e) => `${e.code} ${e.details}`);

const out = {};
out.status = await call(pizza, 'Status', {});
const many = await Promise.all(Array.from({ length: 200 }, () => call(pizza, 'RatePizza', { ingredients: ['a'], dough: 'b' })));
out.ratings = [...new Set(many.map((r) => r.stars_rating ?? r.starsRating))].sort();
out.nothing = await call(pizza, 'RatePizza', {});
out.health = await call(health, 'Check', { service: '' });
out.unhealthy = await call(health, 'Check', { service: 'nope' });
out.watched = await new Promise((done) => {
  const watch = health.Watch({ service: 'nope' });
  watch.on('data', (m) => { done(m.status); watch.cancel(); });
  watch.on('error', () => {});
});
out.missing = await new Promise((done) => {
  pizza.makeUnaryRequest('/quickpizza.GRPC/Nope', (x) => x, (x) => x, Buffer.alloc(0), (e) => done(`${e.code} ${e.details}`));
});
// What reflection says must be what the .proto file says, as protobufjs reads both.
out.reflected = await new Promise((done) => {
  const stream = reflection.ServerReflectionInfo();
  stream.on('data', (m) => {
    const bytes = m.fileDescriptorResponse.fileDescriptorProto[0];
    const file = descriptor.FileDescriptorProto.decode(bytes);
    const root = protobuf.Root.fromDescriptor({ file: [file] }).resolveAll();
    const own = protobuf.loadSync(join(here, '../../examples/definitions/quickpizza.proto')).resolveAll();
    const shape = (r) => JSON.stringify(['StatusResponse', 'PizzaRatingRequest', 'PizzaRatingResponse'].map((n) =>
      r.lookupType('quickpizza.' + n).fieldsArray.map((f) => [f.name.replace(/_./g, (t) => t[1].toUpperCase()), f.id, f.type, f.repeated])));
    stream.end();
    done(shape(root) === shape(own) ? 'the same' : `${shape(root)} ${shape(own)}`);
  });
  stream.write({ fileContainingSymbol: 'quickpizza.GRPC' });
});
console.log(JSON.stringify(out));
for (const client of [pizza, health, reflection]) client.close();
