/* Services that gRPC servers have beside their own: health checks and reflection, as a client asks
 * them. */
#pragma once

#include "grpc/grpc_call.h"
#include "proto/proto.h"

/* Called with each call that has ended, for samples. */
struct grpc_watcher {
    void (*ended)(void *arg, const struct grpc_call *call);
    void *arg;
};

/* grpc.health.v1.Health/Check. 0: *status is how it went, *out_serving the answer (0 unknown, 1
 * serving, 2 not serving, 3 service unknown); or KE_CANCELED. Yields. */
int grpc_health_check(struct grpc_channel *ch, struct slice service, int64_t deadline_ns,
                      const struct grpc_watcher *watcher, struct grpc_status *status,
                      uint32_t *out_serving);

/* Appends a serialized google.protobuf.FileDescriptorSet of all services that the server's
 * reflection names and of what they import (as far as the server has it), each file once. Asks in
 * v1, and in v1alpha when the server does not have that. 0, KE_CANCELED, or another code with k6's
 * words (`can't list services: rpc error: code = Unimplemented desc = …`). Yields. */
int grpc_reflect(struct grpc_channel *ch, const struct grpc_metadata *metadata, int64_t deadline_ns,
                 const struct grpc_watcher *watcher, struct buf *out_set, struct error *err);
