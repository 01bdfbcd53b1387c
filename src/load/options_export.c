#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/duration.h"
#include "base/json_write.h"
#include "load/jansson_read.h"
#include "load/option_parse.h"
#include "load/option_table.h"
#include "load/scenario.h"
#include "metrics/tags.h"

static void write_duration(struct json_writer *w, const struct opt_duration *d) {
    char text[DURATION_TEXT_MAX];
    if (d->is_set)
        json_cstr(w, duration_format(d->ns, text));
    else
        json_null(w);
}

static void write_int(struct json_writer *w, const struct opt_int *i) {
    if (i->is_set)
        json_int(w, i->value);
    else
        json_null(w);
}

static void write_text(struct json_writer *w, const struct opt_text *t) {
    if (t->is_set)
        json_cstr(w, t->value);
    else
        json_null(w);
}

static void write_list(struct json_writer *w, const struct opt_list *l) {
    json_array_begin(w);
    for (size_t i = 0; i < l->len; i++)
        json_cstr(w, l->items[i]);
    json_array_end(w);
}

static void write_map(struct json_writer *w, const struct opt_map *m) {
    if (!m->is_set) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    for (size_t i = 0; i < m->len; i++) {
        json_key(w, m->items[i].key);
        json_cstr(w, m->items[i].value);
    }
    json_object_end(w);
}

static void write_stages(struct json_writer *w, const struct opt_stages *s) {
    if (!s->is_set) {
        json_null(w);
        return;
    }
    json_array_begin(w);
    for (size_t i = 0; i < s->len; i++) {
        json_object_begin(w);
        json_key(w, "duration");
        write_duration(w, &s->items[i].duration);
        json_key(w, "target");
        write_int(w, &s->items[i].target);
        json_object_end(w);
    }
    json_array_end(w);
}

/* Any JSON value in the writer's own layout. */
static void write_value(struct json_writer *w, const json_t *v) {
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        json_object_begin(w);
        json_object_foreach((json_t *)v, key, item) {
            json_key(w, key);
            write_value(w, item);
        }
        json_object_end(w);
        break;
    case JSON_ARRAY:
        json_array_begin(w);
        json_array_foreach(v, i, item) {
            write_value(w, item);
        }
        json_array_end(w);
        break;
    case JSON_STRING:
        json_string(w, slice_from(json_string_value(v), json_string_length(v)));
        break;
    case JSON_INTEGER:
        json_int(w, json_integer_value(v));
        break;
    case JSON_REAL:
        json_double(w, json_real_value(v));
        break;
    case JSON_NULL:
        json_null(w);
        break;
    default:
        json_bool(w, json_is_true(v));
    }
}

static void write_raw(struct json_writer *w, const struct opt_text *t) {
    json_t *v = t->is_set ? json_loads(t->value, JSON_DECODE_ANY, NULL) : NULL;
    if (v != NULL)
        write_value(w, v);
    else
        json_null(w);
    json_decref(v);
}

static void write_scenario(struct json_writer *w, const struct scenario *s) {
    json_object_begin(w);
    json_key(w, "executor");
    json_cstr(w, executor_type_name(s->type));
    json_key(w, "startTime");
    write_duration(w, &s->start_time);
    json_key(w, "gracefulStop");
    write_duration(w, &s->graceful_stop);
    json_key(w, "env");
    write_map(w, &s->env);
    json_key(w, "exec");
    write_text(w, &s->exec);
    json_key(w, "tags");
    write_map(w, &s->tags);
    if (s->options.is_set) {
        json_key(w, "options");
        write_raw(w, &s->options);
    }
    for (const struct scenario_field *f = scenario_fields(s->type); f->key != NULL; f++) {
        const void *field = (const char *)s + f->offset;
        json_key(w, f->key);
        if (f->kind == FIELD_INT)
            write_int(w, field);
        else if (f->kind == FIELD_DURATION)
            write_duration(w, field);
        else
            write_stages(w, field);
    }
    json_object_end(w);
}

static void write_scenarios(struct json_writer *w, const struct opt_scenarios *s) {
    json_object_begin(w);
    for (size_t i = 0; i < s->len; i++) {
        json_key(w, s->items[i].name);
        write_scenario(w, &s->items[i]);
    }
    json_object_end(w);
}

static void write_segment(struct json_writer *w, const struct options *o, bool is_sequence) {
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    if (is_sequence)
        segment_sequence_format(&text, &o->execution_segment_sequence.value);
    else
        segment_format(&text, &o->execution_segment.value);
    json_string(w, buf_slice(&text));
    buf_release(&text);
}

static void write_thresholds(struct json_writer *w, const struct opt_thresholds *t) {
    json_object_begin(w);
    for (size_t i = 0; i < t->len; i++) {
        json_key(w, t->items[i].metric);
        json_array_begin(w);
        for (size_t k = 0; k < t->items[i].len; k++) {
            const struct threshold_def *def = &t->items[i].items[k];
            if (!def->abort_on_fail) {
                json_cstr(w, def->source);
                continue;
            }
            json_object_begin(w);
            json_key(w, "threshold");
            json_cstr(w, def->source);
            json_key(w, "abortOnFail");
            json_bool(w, true);
            json_key(w, "delayAbortEval");
            write_duration(w, &def->delay_abort);
            json_object_end(w);
        }
        json_array_end(w);
    }
    json_object_end(w);
}

static void write_tls_auth(struct json_writer *w, const struct opt_tls_auth *t) {
    json_array_begin(w);
    for (size_t i = 0; i < t->len; i++) {
        json_object_begin(w);
        json_key(w, "cert");
        json_cstr(w, t->items[i].cert);
        json_key(w, "key");
        json_cstr(w, t->items[i].key);
        json_key(w, "password");
        write_text(w, &t->items[i].password);
        json_key(w, "domains");
        if (t->items[i].domains.is_set)
            write_list(w, &t->items[i].domains);
        else
            json_null(w);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_dns(struct json_writer *w, const struct opt_dns *dns) {
    json_object_begin(w);
    json_key(w, "ttl");
    write_text(w, &dns->ttl);
    json_key(w, "select");
    write_text(w, &dns->select);
    json_key(w, "policy");
    write_text(w, &dns->policy);
    json_object_end(w);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_system_tags(struct json_writer *w, uint32_t bits) {
    const char *names[32];
    size_t n = 0;
    for (unsigned i = 0; i < 32; i++)
        if (bits & (UINT32_C(1) << i))
            names[n++] = system_tag_name(UINT32_C(1) << i);
    qsort(names, n, sizeof *names, by_name);
    json_array_begin(w);
    for (size_t i = 0; i < n; i++)
        json_cstr(w, names[i]);
    json_array_end(w);
}

static void write_tls_version(struct json_writer *w, const struct opt_tls_version *v) {
    json_object_begin(w);
    json_key(w, "min");
    json_cstr(w, option_tls_version_name(v->min));
    json_key(w, "max");
    json_cstr(w, option_tls_version_name(v->max));
    json_object_end(w);
}

static void write_option(struct json_writer *w, const struct options *o,
                         const struct option_row *row) {
    const void *field = option_field(o, row);
    if (row->kind == OPTION_DNS) {
        write_dns(w, field);
        return;
    }
    if (!option_is_set(o, row)) {
        json_null(w);
        return;
    }
    switch (row->kind) {
    case OPTION_BOOL:
        json_bool(w, ((const struct opt_bool *)field)->value);
        break;
    case OPTION_INT:
        write_int(w, field);
        break;
    case OPTION_DURATION:
        write_duration(w, field);
        break;
    case OPTION_TEXT:
    case OPTION_IP_POOL:
        write_text(w, field);
        break;
    case OPTION_LIST:
    case OPTION_CIPHER_SUITES:
    case OPTION_CIDRS:
    case OPTION_HOSTNAMES:
        write_list(w, field);
        break;
    case OPTION_MAP:
    case OPTION_HOSTS:
        write_map(w, field);
        break;
    case OPTION_STAGES:
        write_stages(w, field);
        break;
    case OPTION_SCENARIOS:
        write_scenarios(w, field);
        break;
    case OPTION_SEGMENT:
    case OPTION_SEQUENCE:
        write_segment(w, o, row->kind == OPTION_SEQUENCE);
        break;
    case OPTION_TLS_VERSION:
        write_tls_version(w, field);
        break;
    case OPTION_TLS_AUTH:
        write_tls_auth(w, field);
        break;
    case OPTION_THRESHOLDS:
        write_thresholds(w, field);
        break;
    case OPTION_RAW:
    case OPTION_RAW_OBJECT:
        write_raw(w, field);
        break;
    case OPTION_SYSTEM_TAGS:
        write_system_tags(w, ((const struct opt_system_tags *)field)->bits);
        break;
    case OPTION_DNS:
        break;
    }
}

static bool is_exported(const struct options *o, const struct option_row *row,
                        enum options_export how) {
    bool is_set = option_is_set(o, row);
    if ((row->flags & OPTION_NOT_V051) && compat_is_v051())
        return false;
    if (how == OPTIONS_EXPORT_SPECIFIED)
        return is_set && row->kind != OPTION_DNS && !(row->flags & OPTION_NOT_IN_JSON);
    if ((row->flags & OPTION_OMIT_EMPTY) && !is_set)
        return false;
    if (how == OPTIONS_EXPORT_EXECUTION)
        return !(row->flags & OPTION_SHORTCUT);
    return !(row->flags & OPTION_NOT_IN_JSON);
}

void options_export_members(struct json_writer *w, const struct options *o,
                            enum options_export how) {
    for (const struct option_row *row = option_rows; row->key != NULL; row++) {
        if (!is_exported(o, row, how))
            continue;
        json_key(w, row->key);
        write_option(w, o, row);
    }
}

void options_export(struct json_writer *w, const struct options *o, enum options_export how) {
    json_object_begin(w);
    options_export_members(w, o, how);
    json_object_end(w);
}
