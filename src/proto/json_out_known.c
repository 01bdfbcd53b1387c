#include <math.h>

#include "proto/json_out.h"
#include "proto/json_token.h"
#include "proto/known.h"

static uint64_t bits_of(const struct proto_message *m, uint32_t index) {
    return message_has(m, index) ? m->fields[index].bits : 0;
}

static struct slice bytes_of(const struct proto_message *m, uint32_t index) {
    if (!message_has(m, index))
        return SLICE("");
    return slice_from(m->fields[index].bytes.ptr, m->fields[index].bytes.len);
}

static const struct proto_list *list_of(const struct proto_message *m, uint32_t index) {
    return message_has(m, index) ? m->fields[index].list : NULL;
}

static int out_of_range(struct json_out *w, const struct proto_message *m, const char *what,
                        int64_t v) {
    return proto_error(w->err, "%.*s: %s out of range %lld", SLICE_FMT(m->type->full_name), what,
                       (long long)v);
}

static int put_time(struct json_out *w, const struct proto_message *m) {
    bool is_timestamp = m->type->known == KNOWN_TIMESTAMP;
    int64_t seconds = (int64_t)bits_of(m, 0), nanos = (int64_t)bits_of(m, 1);
    int64_t least = is_timestamp ? TIMESTAMP_SECONDS_MIN : -DURATION_SECONDS_MAX;
    int64_t most = is_timestamp ? TIMESTAMP_SECONDS_MAX : DURATION_SECONDS_MAX;
    if (seconds < least || seconds > most)
        return out_of_range(w, m, "seconds", seconds);
    if (nanos < (is_timestamp ? 0 : -999999999) || nanos > 999999999)
        return out_of_range(w, m, "nanos", nanos);
    if (!is_timestamp && ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)))
        return proto_error(w->err, "%.*s: signs of seconds and nanos do not match",
                           SLICE_FMT(m->type->full_name));
    char text[KNOWN_TEXT_MAX];
    size_t len = is_timestamp ? timestamp_format(seconds, (int32_t)nanos, text)
                              : duration_json_format(seconds, (int32_t)nanos, text);
    json_put_char(w, '"');
    json_put(w, text, len);
    json_put_char(w, '"');
    return 0;
}

static int put_field_mask(struct json_out *w, const struct proto_message *m) {
    const struct proto_field *f = m->type->fields.ptr[0];
    const struct proto_list *paths = list_of(m, 0);
    json_put_char(w, '"');
    for (uint32_t i = 0; paths != NULL && i < paths->len; i++) {
        struct slice path = slice_from(paths->items[i].bytes.ptr, paths->items[i].bytes.len);
        if (!is_identifier(path, true))
            return proto_error(w->err, "%.*s contains invalid path: \"%.*s\"",
                               SLICE_FMT(f->full_name), SHOWN(path));
        struct slice name = json_name_of(w->arena, path);
        if (!slice_eq(path, snake_case(w->arena, name)))
            return proto_error(w->err, "%.*s contains irreversible value \"%.*s\"",
                               SLICE_FMT(f->full_name), SHOWN(path));
        if (i > 0)
            json_put_char(w, ',');
        json_put(w, name.ptr, name.len);
    }
    json_put_char(w, '"');
    return 0;
}

static int put_value(struct json_out *w, const struct proto_message *m) {
    for (uint32_t i = 0; i < m->type->fields.len; i++) {
        const struct proto_field *f = m->type->fields.ptr[i];
        if (!message_has(m, i))
            continue;
        if (f->kind == KIND_DOUBLE) {
            double v;
            memcpy(&v, &m->fields[i].bits, sizeof v);
            if (!isfinite(v))
                return proto_error(w->err, "%.*s: invalid %s value", SLICE_FMT(f->full_name),
                                   isnan(v) ? "NaN"
                                   : v < 0  ? "-Inf"
                                            : "+Inf");
        }
        return json_put_single(w, f, &m->fields[i]);
    }
    return proto_error(w->err, "%.*s: none of the oneof fields is set",
                       SLICE_FMT(m->type->full_name));
}

static int put_wrapper(struct json_out *w, const struct proto_message *m) {
    const struct proto_field *f = m->type->fields.ptr[0];
    union proto_value zero = {0};
    if (f->wire_type == WIRE_BYTES)
        zero.bytes.ptr = "";
    return json_put_single(w, f, message_has(m, 0) ? &m->fields[0] : &zero);
}

static int put_any_content(struct json_out *w, const struct proto_message *m, struct slice url) {
    struct proto_message *content;
    struct error why;
    const struct proto_type *type = any_type(w->pool, w->options, url);
    if (type == NULL)
        return proto_error(w->err, "%.*s: unable to resolve \"%.*s\": not found",
                           SLICE_FMT(m->type->full_name), SHOWN(url));
    if (message_decode(type, bytes_of(m, 1), true, WIRE_DEPTH_MAX - w->depth, w->arena, &content,
                       &why) != 0)
        return proto_error(w->err, "%.*s: unable to unmarshal \"%.*s\": %.200s",
                           SLICE_FMT(m->type->full_name), SHOWN(url),
                           why.text + sizeof "proto: " - 1);
    if (type->known == KNOWN_NONE)
        return json_put_message(w, content, url);
    json_put_literal(w, "{\"@type\":");
    json_put_string(w, url);
    json_put_literal(w, ",\"value\":");
    TRY(json_put_known(w, content));
    json_put_char(w, '}');
    return 0;
}

static int put_any(struct json_out *w, const struct proto_message *m) {
    struct slice url = bytes_of(m, 0);
    if (url.len == 0 && bytes_of(m, 1).len > 0)
        return proto_error(w->err, "%.*s: type_url is not set", SLICE_FMT(m->type->full_name));
    if (url.len == 0) {
        json_put_literal(w, "{}");
        return 0;
    }
    if (w->depth == WIRE_DEPTH_MAX)
        return proto_error(w->err, "exceeded maximum recursion depth");
    w->depth++;
    int rc = put_any_content(w, m, url);
    w->depth--;
    return rc;
}

int json_put_known(struct json_out *w, const struct proto_message *m) {
    switch ((enum proto_known)m->type->known) {
    case KNOWN_ANY:
        return put_any(w, m);
    case KNOWN_TIMESTAMP:
    case KNOWN_DURATION:
        return put_time(w, m);
    case KNOWN_WRAPPER:
        return put_wrapper(w, m);
    case KNOWN_STRUCT:
        return json_put_map(w, m->type->fields.ptr[0], list_of(m, 0));
    case KNOWN_LIST_VALUE:
        return json_put_list(w, m->type->fields.ptr[0], list_of(m, 0));
    case KNOWN_VALUE:
        return put_value(w, m);
    case KNOWN_FIELD_MASK:
        return put_field_mask(w, m);
    case KNOWN_EMPTY:
        json_put_literal(w, "{}");
        return 0;
    case KNOWN_NONE:
        break;
    }
    return 0;
}
