#include "cli/option_flags.h"

#include <string.h>

#include "base/compat.h"
#include "base/go_parse.h"
#include "load/option_parse.h"
#include "metrics/aggregate.h"
#include "metrics/tags.h"

const struct flag_def option_flag_defs[] = {
    {"vus", 'u', FLAG_INT, NULL, "number of virtual users", NULL},
    {"duration", 'd', FLAG_DURATION, NULL, "test duration limit", NULL},
    {"iterations", 'i', FLAG_INT, NULL, "total number of iterations, shared among the VUs", NULL},
    {"stage", 's', FLAG_LIST, NULL, "add a stage, as DURATION:TARGET", NULL},
    {"execution-segment", 0, FLAG_TEXT, NULL, "run only this part of the test, for example 0:1/3",
     NULL},
    {"execution-segment-sequence", 0, FLAG_TEXT, NULL, "all the parts, for example 0,1/3,2/3,1",
     NULL},
    {"paused", 'p', FLAG_BOOL, NULL, "start the test paused", NULL},
    {"no-setup", 0, FLAG_BOOL, NULL, "do not run setup()", NULL},
    {"no-teardown", 0, FLAG_BOOL, NULL, "do not run teardown()", NULL},
    {"max-redirects", 0, FLAG_INT, NULL, "follow at most this many redirects", NULL},
    {"batch", 0, FLAG_INT, NULL, "parallel requests of one http.batch()", NULL},
    {"batch-per-host", 0, FLAG_INT, NULL, "the same to one host; 0 is unlimited", NULL},
    {"rps", 0, FLAG_INT, NULL, "limit of requests per second", NULL},
    {"user-agent", 0, FLAG_TEXT, NULL, "User-Agent of HTTP requests", NULL},
    {"http-debug", 0, FLAG_TEXT, NULL, "log HTTP requests and responses; full = with bodies",
     "headers"},
    {"insecure-skip-tls-verify", 0, FLAG_BOOL, NULL, "do not verify TLS certificates", NULL},
    {"no-connection-reuse", 0, FLAG_BOOL, NULL, "no keep-alive connections", NULL},
    {"no-vu-connection-reuse", 0, FLAG_BOOL, NULL, "no connections kept between iterations", NULL},
    {"min-iteration-duration", 0, FLAG_DURATION, NULL, "an iteration takes at least this long",
     NULL},
    {"throw", 'w', FLAG_BOOL, NULL, "throw errors of failed HTTP requests instead of warning",
     NULL},
    {"blacklist-ip", 0, FLAG_LIST, NULL, "never connect to this IP range", NULL},
    {"block-hostnames", 0, FLAG_LIST, NULL,
     "never connect to hosts of this pattern, *. in front allowed", NULL},
    {"summary-trend-stats", 0, FLAG_LIST, NULL,
     "statistics of trends, for example avg,p(99.5),count", NULL},
    {"summary-time-unit", 0, FLAG_TEXT, NULL, "unit of times in the summary: s, ms or us", NULL},
    {"system-tags", 0, FLAG_LIST, NULL, "only these system tags", NULL},
    {"tag", 0, FLAG_LIST, NULL, "add a tag to all samples, as NAME=VALUE", NULL},
    {"console-output", 0, FLAG_TEXT, NULL, "write what scripts log to this file", NULL},
    {"discard-response-bodies", 0, FLAG_BOOL, NULL, "read response bodies but do not keep them",
     NULL},
    {"local-ips", 0, FLAG_TEXT, NULL, "source addresses: IPs, ranges and CIDRs", NULL},
    {"dns", 0, FLAG_TEXT, NULL, "DNS resolution, as ttl=5m,select=random,policy=preferIPv4", NULL},
    {NULL},
};

static void read_bool(const struct flags *f, const char *name, struct opt_bool *out) {
    if (flags_has(f, name))
        *out = (struct opt_bool){flags_bool(f, name, false), true};
}

static void read_int(const struct flags *f, const char *name, struct opt_int *out) {
    if (flags_has(f, name))
        *out = (struct opt_int){flags_int(f, name, 0), true};
}

static void read_text(const struct flags *f, const char *name, struct opt_text *out) {
    if (flags_has(f, name))
        *out = (struct opt_text){flags_text(f, name), true};
}

static void read_duration(const struct flags *f, const char *name, struct opt_duration *out) {
    if (!flags_has(f, name))
        return;
    out->is_set = true;
    go_parse_duration(slice_cstr(flags_text(f, name)), &out->ns, NULL); /* checked by flags_parse */
}

/* Every use of the flag, each a comma-separated list. */
static int read_list(struct arena *a, const struct flags *f, const char *name, struct opt_list *out,
                     struct error *err) {
    *out = (struct opt_list){0};
    for (size_t i = 0; i < f->uses.len; i++) {
        const struct flag_use *u = &f->uses.ptr[i];
        int rc = strcmp(u->def->name, name) == 0
                     ? option_csv_append(a, slice_cstr(u->value), out, err)
                     : 0;
        if (rc)
            return rc;
    }
    return 0;
}

static int read_stages(struct arena *a, const struct flags *f, struct opt_stages *out,
                       struct error *err) {
    struct opt_list texts;
    int rc = read_list(a, f, "stage", &texts, err);
    if (rc || !texts.is_set)
        return rc;
    *out = (struct opt_stages){arena_alloc(a, (texts.len + 1) * sizeof *out->items), 0, true};
    for (size_t i = 0; i < texts.len; i++) {
        struct error why = {0};
        if (option_stage_parse(slice_cstr(texts.items[i]), &out->items[i], &why))
            return error_set(err, KE_INVALID, "error while parsing stage %zu: %s", i, why.text);
        if (!out->items[i].duration.is_set)
            return error_set(err, KE_INVALID, "stage %zu doesn't have a specified duration", i);
        out->len++;
    }
    return 0;
}

static int add_tag(struct arena *a, struct slice text, struct opt_map *out, struct error *err) {
    struct slice value = text, key = slice_cut(&value, '=');
    const char *problem = !text.len                  ? "invalid tag, empty string"
                          : text.ptr[0] == '='       ? "invalid tag, empty name"
                          : !value.ptr || !value.len ? "invalid tag, empty value"
                                                     : NULL;
    if (problem)
        return error_set(err, KE_INVALID, "error parsing tag '%.*s': %s", SLICE_FMT(text), problem);
    option_map_set(a, out, key, value);
    return 0;
}

/* v0.51 splits a flag's value at commas, v2 takes it whole. */
static int read_tags(struct arena *a, const struct flags *f, struct opt_map *out,
                     struct error *err) {
    int rc = 0;
    struct opt_list texts = {0};
    for (size_t i = 0; i < f->uses.len && !rc; i++) {
        const struct flag_use *u = &f->uses.ptr[i];
        if (strcmp(u->def->name, "tag") != 0)
            continue;
        if (compat_on(COMPAT_TAG_FLAG_SPLIT))
            rc = option_csv_append(a, slice_cstr(u->value), &texts, err);
        else
            option_list_append(a, &texts, slice_cstr(u->value));
    }
    for (size_t i = 0; i < texts.len && !rc; i++)
        rc = add_tag(a, slice_cstr(texts.items[i]), out, err);
    return rc;
}

static int read_segments(struct arena *a, const struct flags *f, struct options *out,
                         struct error *err) {
    const char *segment = flags_text(f, "execution-segment");
    const char *sequence = flags_text(f, "execution-segment-sequence");
    int rc = 0;
    if (segment) {
        out->execution_segment.is_set = true;
        rc = segment_parse(slice_cstr(segment), &out->execution_segment.value, err);
    }
    if (!rc && sequence) {
        out->execution_segment_sequence.is_set = true;
        rc = segment_sequence_parse(a, slice_cstr(sequence), &out->execution_segment_sequence.value,
                                    err);
    }
    return rc;
}

static int read_addresses(struct arena *a, const struct flags *f, struct options *out,
                          struct error *err) {
    struct opt_list cidrs, hosts;
    int rc = read_list(a, f, "blacklist-ip", &cidrs, err);
    if (!rc)
        rc = read_list(a, f, "block-hostnames", &hosts, err);
    for (size_t i = 0; !rc && i < cidrs.len; i++) {
        struct error why = {0};
        const char *cidr;
        if (option_cidr_parse(a, slice_cstr(cidrs.items[i]), &cidr, &why))
            return error_set(err, KE_INVALID, "error parsing blacklist-ip '%s': %s", cidrs.items[i],
                             why.text);
        option_list_append(a, &out->blacklist_ips, slice_cstr(cidr));
        out->blacklist_ips.is_set = true;
    }
    for (size_t i = 0; !rc && i < hosts.len; i++) {
        rc = option_hostname_check(slice_cstr(hosts.items[i]), false, err);
        option_list_append(a, &out->block_hostnames, slice_cstr(hosts.items[i]));
        out->block_hostnames.is_set = true;
    }
    const char *pool_text = flags_text(f, "local-ips");
    if (!rc && pool_text) {
        struct ip_pool pool;
        rc = option_ip_pool_parse(a, slice_cstr(pool_text), &pool, err);
        out->local_ips = (struct opt_text){pool_text, true};
    }
    const char *dns = flags_text(f, "dns");
    if (!rc && dns)
        rc = option_dns_parse(a, slice_cstr(dns), &out->dns, err);
    return rc;
}

static int read_summary(struct arena *a, const struct flags *f, struct options *out,
                        struct error *err) {
    struct opt_list stats, tags;
    int rc = read_list(a, f, "summary-trend-stats", &stats, err);
    for (size_t i = 0; !rc && i < stats.len; i++) {
        struct trend_stat ignored;
        rc = trend_stat_parse(slice_cstr(stats.items[i]), &ignored, err);
    }
    if (!rc && stats.is_set)
        out->summary_trend_stats = stats;
    const char *unit = flags_text(f, "summary-time-unit");
    if (!rc && unit) {
        if (*unit && strcmp(unit, "s") != 0 && strcmp(unit, "ms") != 0 && strcmp(unit, "us") != 0)
            return error_set(err, KE_INVALID,
                             "invalid summary time unit '%s', use 's', 'ms' or 'us'", unit);
        out->summary_time_unit = (struct opt_text){unit, true};
    }
    if (!rc)
        rc = read_list(a, f, "system-tags", &tags, err);
    if (!rc && tags.is_set)
        option_system_tags(&tags, &out->system_tags);
    return rc;
}

int options_from_flags(struct arena *a, const struct flags *f, struct options *out,
                       struct error *err) {
    options_init(out);
    read_int(f, "vus", &out->vus);
    read_duration(f, "duration", &out->duration);
    read_int(f, "iterations", &out->iterations);
    read_bool(f, "paused", &out->paused);
    read_bool(f, "no-setup", &out->no_setup);
    read_bool(f, "no-teardown", &out->no_teardown);
    read_int(f, "max-redirects", &out->max_redirects);
    read_int(f, "batch", &out->batch);
    read_int(f, "batch-per-host", &out->batch_per_host);
    read_int(f, "rps", &out->rps);
    read_text(f, "user-agent", &out->user_agent);
    read_text(f, "http-debug", &out->http_debug);
    read_bool(f, "insecure-skip-tls-verify", &out->insecure_skip_tls_verify);
    read_bool(f, "no-connection-reuse", &out->no_connection_reuse);
    read_bool(f, "no-vu-connection-reuse", &out->no_vu_connection_reuse);
    read_duration(f, "min-iteration-duration", &out->min_iteration_duration);
    read_bool(f, "throw", &out->throw_errors);
    read_text(f, "console-output", &out->console_output);
    read_bool(f, "discard-response-bodies", &out->discard_response_bodies);
    int rc = read_stages(a, f, &out->stages, err);
    if (!rc)
        rc = read_segments(a, f, out, err);
    if (!rc)
        rc = read_addresses(a, f, out, err);
    if (!rc)
        rc = read_summary(a, f, out, err);
    if (!rc)
        rc = read_tags(a, f, &out->tags, err);
    return rc;
}
