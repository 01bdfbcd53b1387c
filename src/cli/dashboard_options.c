#include "cli/dashboard_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/go_parse.h"
#include "base/percent.h"
#include "output/output_config.h"

#define PREFIX "K6_WEB_DASHBOARD_"

static const char *variable(const char *name) {
    return getenv(name);
}

static void set_text(char **to, struct slice value) {
    free(*to);
    *to = slice_dup(value);
}

static int set_port(struct dashboard_options *o, struct slice value, struct error *err) {
    struct error why = {0};
    int64_t port;
    if (go_parse_int(value, 10, &port, &why) != 0)
        return error_set(err, KE_CONFIG, "strconv.Atoi: parsing \"%.*s\": invalid syntax",
                         SLICE_FMT(value));
    if (port > UINT16_MAX)
        return error_set(err, KE_CONFIG, "listen tcp: address %lld: invalid port", (long long)port);
    o->port = (int)port;
    o->is_default_port = port == DASHBOARD_PORT;
    return 0;
}

static int set_period(struct dashboard_options *o, struct slice value, struct error *err) {
    if (config_duration(value, &o->period_ns, NULL) != 0 || o->period_ns < 0)
        return error_set(err, KE_CONFIG, "invalid duration");
    if (o->period_ns > 0 && o->period_ns < NS_PER_S)
        o->period_ns = NS_PER_S; /* shards are collected every second */
    return 0;
}

static void add_tags(struct dashboard_options *o, struct slice list) {
    char *text = slice_dup(list);
    struct slice rest = slice_cstr(text);
    vec_push(&o->tag_text, text);
    while (rest.ptr) {
        struct slice tag = slice_trim(slice_cut(&rest, ','));
        bool is_known = tag.len == 0;
        for (size_t i = 0; i < o->tags.len && !is_known; i++)
            is_known = slice_eq(o->tags.ptr[i], tag);
        if (!is_known)
            vec_push(&o->tags, tag);
    }
}

static int read_variables(struct dashboard_options *o, struct error *err) {
    const char *v;
    if ((v = variable(PREFIX "PORT")) && *v && set_port(o, slice_cstr(v), err))
        return KE_CONFIG;
    if ((v = variable(PREFIX "HOST")))
        set_text(&o->host, slice_cstr(v));
    if ((v = variable(PREFIX "EXPORT")) || (v = variable(PREFIX "REPORT")))
        set_text(&o->export_path, slice_cstr(v));
    if ((v = variable(PREFIX "RECORD")))
        set_text(&o->record_path, slice_cstr(v));
    if ((v = variable(PREFIX "PERIOD")) && *v && set_period(o, slice_cstr(v), err))
        return KE_CONFIG;
    if ((v = variable(PREFIX "OPEN")))
        o->is_opened = strcmp(v, "true") == 0;
    if ((v = variable("KILN_WEB_DASHBOARD_TOKEN")) && *v)
        o->token = slice_dup(slice_cstr(v));
    if ((v = variable(PREFIX "TAGS")))
        add_tags(o, slice_cstr(v));
    else
        add_tags(o, SLICE("group"));
    return 0;
}

static int set_key(struct dashboard_options *o, struct slice name, struct slice value,
                   bool *has_export, bool *has_tag, struct error *err) {
    bool is_tag = slice_eq(name, SLICE("tag"));
    if (slice_eq(name, SLICE("open"))) {
        o->is_opened = value.len == 0 || slice_eq(value, SLICE("true"));
    } else if (value.len == 0) {
        return 0;
    } else if (slice_eq(name, SLICE("port"))) {
        return set_port(o, value, err);
    } else if (slice_eq(name, SLICE("period"))) {
        return set_period(o, value, err);
    } else if (slice_eq(name, SLICE("host"))) {
        set_text(&o->host, value);
    } else if (slice_eq(name, SLICE("record"))) {
        set_text(&o->record_path, value);
    } else if (slice_eq(name, SLICE("export"))) {
        set_text(&o->export_path, value);
        *has_export = true;
    } else if (slice_eq(name, SLICE("report")) && !*has_export) {
        set_text(&o->export_path, value);
    } else if (is_tag || slice_eq(name, SLICE("tags"))) {
        if (is_tag && !*has_tag)
            o->tags.len = 0; /* in place of the variable's, or of group */
        *has_tag |= is_tag;
        add_tags(o, value);
    }
    return 0;
}

static int read_query(struct dashboard_options *o, struct slice query, struct error *err) {
    bool has_export = false, has_tag = false;
    struct buf text;
    int rc = 0;
    buf_init(&text, BUF_NO_CAP);
    while (rc == 0 && query.ptr && query.len > 0) {
        struct slice value = slice_cut(&query, '&'), name = slice_cut(&value, '=');
        buf_reset(&text);
        if (value.ptr)
            percent_decode(&text, value, true);
        struct slice plain = text.len > 0 ? buf_slice(&text) : SLICE("");
        rc = set_key(o, name, plain, &has_export, &has_tag, err);
    }
    buf_release(&text);
    return rc;
}

int dashboard_options_init(struct dashboard_options *o, struct slice query, struct error *err) {
    *o = (struct dashboard_options){.port = DASHBOARD_PORT, .is_default_port = true};
    set_text(&o->host, SLICE(""));
    set_text(&o->export_path, SLICE(""));
    set_text(&o->record_path, SLICE(""));
    int rc = read_variables(o, err);
    return rc ? rc : read_query(o, query, err);
}

void dashboard_options_release(struct dashboard_options *o) {
    free(o->host);
    free(o->export_path);
    free(o->record_path);
    free(o->token);
    for (size_t i = 0; i < o->tag_text.len; i++)
        free(o->tag_text.ptr[i]);
    vec_release(&o->tag_text);
    vec_release(&o->tags);
}
