/* From a decoded message to protojson text. Internal to proto/. */
#pragma once

#include "base/buf.h"
#include "proto/message.h"
#include "proto/put.h"

struct json_out {
    struct buf *out;
    struct arena *arena;
    const struct proto_json_options *options; /* never NULL */
    const struct proto_pool *pool;
    struct error *err;
    bool is_full;   /* something did not fit */
    unsigned depth; /* messages that are open: less is left for what an Any holds */
};

static inline void json_put(struct json_out *w, const char *text, size_t len) {
    if (unlikely(put_room(w->out, len) != 0))
        w->is_full = true;
    else
        put_bytes_at(w->out, text, len);
}

static inline void json_put_char(struct json_out *w, char c) {
    if (unlikely(put_room(w->out, 1) != 0))
        w->is_full = true;
    else
        w->out->ptr[w->out->len++] = c;
}

#define json_put_literal(w, text) json_put((w), "" text, sizeof(text) - 1)
/* false: not UTF-8. */
bool json_put_string(struct json_out *w, struct slice s);

/* type_url: of the Any that it stands in, ptr NULL otherwise. */
int json_put_message(struct json_out *w, const struct proto_message *m, struct slice type_url);
int json_put_known(struct json_out *w, const struct proto_message *m);
int json_put_single(struct json_out *w, const struct proto_field *f, const union proto_value *v);
/* NULL: empty */
int json_put_list(struct json_out *w, const struct proto_field *f, const struct proto_list *list);
int json_put_map(struct json_out *w, const struct proto_field *f, const struct proto_list *list);
