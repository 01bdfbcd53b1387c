#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/mod/grpc_internal.h"
#include "js/vu_tags.h"

const struct tagset *grpc_call_tags(struct vu *vu, const struct tagset *base,
                                    const struct grpc_client *c, const struct proto_method *m) {
    uint32_t on = vu->config->system_tags;
    struct tag add[4];
    size_t n = 0;
    char *url = NULL;
    if (!vu->shard)
        return base;
    if (on & TAG_URL) {
        url = xasprintf("%s%.*s", c->address, SLICE_FMT(m->path));
        add[n++] = (struct tag){SLICE("url"), slice_cstr(url)};
    }
    if (on & TAG_SERVICE)
        add[n++] = (struct tag){SLICE("service"), m->service_full};
    if (on & TAG_METHOD)
        add[n++] = (struct tag){SLICE("method"), m->name};
    if (on & TAG_NAME && !tagset_get(base, SLICE("name")).ptr)
        add[n++] = (struct tag){SLICE("name"), m->path};
    base = tagset_with_all(shard_tags(vu->shard), base, add, n);
    free(url);
    return base;
}

void grpc_record(struct vu *vu, const struct tagset *tags, const struct grpc_call *call) {
    uint32_t on = vu->config->system_tags;
    char status[16];
    struct tag add[2];
    size_t n = 0;
    if (!vu->shard || vu->is_interrupted)
        return;
    if (on & TAG_IP && call->peer_ip[0])
        add[n++] = (struct tag){SLICE("ip"), slice_cstr(call->peer_ip)};
    if (on & TAG_STATUS) {
        snprintf(status, sizeof status, "%u", (unsigned)call->status.code);
        add[n++] = (struct tag){SLICE("status"), slice_cstr(status)};
    }
    tags = tagset_with_all(shard_tags(vu->shard), tags, add, n);
    int64_t took_ns = call->end_ns - call->start_ns - call->queued_ns;
    vu_sample(vu, metric_by_id(M_GRPC_REQ_DURATION), tags, (double)took_ns / (double)NS_PER_MS,
              call->end_ns);
}
