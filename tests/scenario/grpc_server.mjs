// gRPC's own server (grpc-js) with the services that tests/scenario/test_grpc.py needs.
// node grpc_server.mjs '{"port":0,"tls":{"key":…,"cert":…,"ca":…},"reflection":true}': prints its port.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../.deps/grpc-js/package.json'));
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { ReflectionService } = require('@grpc/reflection');
const { HealthImplementation } = require('grpc-health-check');
const protobuf = require('protobufjs');

const options = JSON.parse(process.argv[2] || '{}');
const definition = loader.loadSync(join(here, 'grpc/probe.proto'), { keepCase: true, longs: String });
const probe = grpc.loadPackageDefinition(definition).probe.v1.Probe;

// google.rpc.Status with a detail, as servers put it into grpc-status-details-bin.
const root = protobuf.parse(`syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Reason { string why = 1; int32 weight = 2; }`, { keepCase: true }).root;
function details(code, message) {
  const Reason = root.lookupType('Reason');
  const value = Reason.encode({ why: 'because', weight: 7 }).finish();
  const status = { code, message, details: [{ type_url: 'type.googleapis.com/probe.v1.Reason', value }] };
  return Buffer.from(root.lookupType('Status').encode(status).finish());
}

const shown = (metadata) => {
  const out = {};
  for (const name of Object.keys(metadata.getMap())) {
    out[name] = metadata.get(name).map((v) => (Buffer.isBuffer(v) ? 'bytes ' + v.toString('hex') : v)).join(',');
  }
  return out;
};
const bytes = (n) => Buffer.alloc(n, 'x');
const reply = (call, request, number) => ({
  text: request.text, number, data: bytes(request.reply_bytes || 0), metadata: shown(call.metadata),
});
const failure = (request) => {
  const trailers = new grpc.Metadata();
  trailers.set('x-why', 'asked for');
  const message = 'as you like: ' + request.text;
  if (request.text === 'details') trailers.set('grpc-status-details-bin', details(request.fail_with, message));
  return { code: request.fail_with, details: message, metadata: trailers };
};
let canceled = 0;

const handlers = {
  Echo(call, done) {
    const request = call.request;
    call.on('cancelled', () => { canceled++; });
    const leading = new grpc.Metadata();
    for (const { name, value } of request.metadata || []) {
      leading.add(name, name.endsWith('-bin') ? Buffer.from(value, 'hex') : value);
    }
    call.sendMetadata(leading);
    const trailers = new grpc.Metadata();
    trailers.set('x-trailer', 'end');
    trailers.set('x-trailer-bin', Buffer.from([0, 1, 254, 255]));
    const answer = () => {
      if (request.fail_with) return done(failure(request));
      if (request.text === 'canceled?') return done(null, { text: String(canceled) }, trailers);
      if (request.text === 'peer?') return done(null, { text: call.getPeer() }, trailers);
      return done(null, reply(call, request, request.times || 0), trailers);
    };
    if (request.wait_ms) setTimeout(answer, request.wait_ms); else answer();
  },
  Count(call) {
    const request = call.request;
    let i = 0;
    call.on('cancelled', () => { canceled++; });
    const next = () => {
      while (!call.cancelled && i < request.times) {
        const more = call.write(reply(call, request, ++i));
        if (request.wait_ms) return void setTimeout(next, request.wait_ms);
        if (!more) return void call.once('drain', next);
      }
      if (call.cancelled) return undefined;
      return request.fail_with ? call.emit('error', failure(request)) : call.end();
    };
    next();
  },
  Collect(call, done) {
    const all = [];
    let total = 0;
    call.on('data', (r) => { all.push(r.text.slice(0, 8)); total += r.text.length; });
    call.on('end', () => done(null, { text: all.slice(0, 10).join('+'), number: total }));
  },
  Chat(call) {
    let n = 0;
    call.on('data', (r) => {
      if (r.fail_with) call.emit('error', failure(r));
      else call.write(reply(call, r, ++n));
    });
    call.on('end', () => call.end());
    call.on('cancelled', () => { canceled++; });
  },
  // Absent is not here: gRPC answers for it.
};
delete probe.service.Absent;

const server = new grpc.Server({
  'grpc.max_receive_message_length': 64 << 20,
  ...(options.args || {}),
});
server.addService(probe.service, handlers);
new HealthImplementation({ '': 'SERVING', 'probe.v1.Probe': 'NOT_SERVING' }).addToServer(server);
if (options.reflection) new ReflectionService(definition).addToServer(server);
const credentials = options.tls
  ? grpc.ServerCredentials.createSsl(options.tls.ca ? readFileSync(options.tls.ca) : null,
    [{ private_key: readFileSync(options.tls.key), cert_chain: readFileSync(options.tls.cert) }], !!options.tls.ca)
  : grpc.ServerCredentials.createInsecure();
server.bindAsync(`127.0.0.1:${options.port || 0}`, credentials, (error, port) => {
  if (error) throw error;
  console.log(port);
});
