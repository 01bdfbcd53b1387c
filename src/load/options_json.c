#include <stdlib.h>

#include "base/check.h"
#include "base/compat.h"
#include "load/json_reader.h"
#include "load/option_parse.h"
#include "load/option_table.h"

static int read_segment(struct json_reader *r, const json_t *v, struct opt_segment *out) {
    if (!json_is_string(v))
        return json_type_error(r, v, "*lib.ExecutionSegment", false);
    out->is_set = true;
    return segment_parse(slice_cstr(json_string_value(v)), &out->value, r->err) ? KE_CONFIG : 0;
}

static int read_sequence(struct json_reader *r, const json_t *v, struct opt_sequence *out) {
    if (!json_is_string(v))
        return json_type_error(r, v, "*lib.ExecutionSegmentSequence", false);
    out->is_set = true;
    struct slice text = slice_cstr(json_string_value(v));
    return segment_sequence_parse(r->arena, text, &out->value, r->err) ? KE_CONFIG : 0;
}

static int read_choice(struct json_reader *r, const json_t *v, struct opt_text *out,
                       const char *go_type, int (*check)(struct slice, struct error *)) {
    if (!json_is_string(v))
        return json_type_error(r, v, go_type, true);
    json_read_text(r, v, out);
    return check(slice_cstr(out->value), r->err);
}

static int read_dns(struct json_reader *r, const json_t *v, struct opt_dns *out) {
    if (!json_is_object(v))
        return json_type_error(r, v,
                               "struct { TTL null.String \"json:\\\"ttl\\\"\"; Select "
                               "types.NullDNSSelect \"json:\\\"select\\\"\"; Policy "
                               "types.NullDNSPolicy \"json:\\\"policy\\\"\" }",
                               true);
    const json_t *policy = json_member(v, "policy"), *select = json_member(v, "select");
    const json_t *ttl = json_member(v, "ttl");
    int rc = 0;
    if (policy != NULL)
        rc = read_choice(r, policy, &out->policy, "string", option_dns_policy_check);
    if (rc == 0 && select != NULL)
        rc = read_choice(r, select, &out->select, "string", option_dns_select_check);
    if (rc == 0 && ttl != NULL)
        rc = json_read_text(r, ttl, &out->ttl);
    return rc;
}

static int read_cipher_suites(struct json_reader *r, const json_t *v, struct opt_list *out) {
    int rc = json_read_list(r, v, out, true);
    for (size_t i = 0; rc == 0 && i < out->len; i++)
        if (!option_is_cipher_suite(slice_cstr(out->items[i])))
            rc = json_fail(r, "unknown cipher suite '%s'", out->items[i]);
    return rc;
}

static int read_version(struct json_reader *r, const json_t *v, int *out) {
    if (!json_is_string(v))
        return json_type_error(r, v, "string", true);
    *out = option_tls_version(slice_cstr(json_string_value(v)));
    if (*out == 0 && json_string_length(v) > 0)
        return json_fail(r, "unknown TLS version '%s'", json_string_value(v));
    return 0;
}

static int read_tls_version(struct json_reader *r, const json_t *v, struct opt_tls_version *out) {
    int rc = 0;
    out->is_set = true;
    if (json_is_string(v)) {
        out->min = out->max = option_tls_version(slice_cstr(json_string_value(v)));
        if (out->min == 0 && json_string_length(v) > 0)
            return json_type_error(r, v, "lib.tlsVersionsFields", true);
        return 0;
    }
    if (!json_is_object(v))
        return json_type_error(r, v, "lib.tlsVersionsFields", true);
    const json_t *min = json_member(v, "min"), *max = json_member(v, "max");
    if (max != NULL)
        rc = read_version(r, max, &out->max);
    if (rc == 0 && min != NULL)
        rc = read_version(r, min, &out->min);
    return rc;
}

static int read_required_text(struct json_reader *r, const json_t *v, const char **out) {
    *out = "";
    if (v == NULL)
        return 0;
    if (!json_is_string(v))
        return json_type_error(r, v, "string", true);
    *out = arena_strndup(r->arena, json_string_value(v), json_string_length(v));
    return 0;
}

static int read_tls_auth(struct json_reader *r, const json_t *v, struct opt_tls_auth *out) {
    if (!json_is_array(v))
        return json_type_error(r, v, "[]*lib.TLSAuth", false);
    size_t n = json_array_size(v);
    *out = (struct opt_tls_auth){arena_alloc(r->arena, (n + 1) * sizeof *out->items), n, true};
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, i);
        struct tls_auth *auth = &out->items[i];
        *auth = (struct tls_auth){.cert = "", .key = "", .password = {"", false}};
        if (!json_is_object(item)) {
            json_type_error(r, item, "lib.TLSAuthFields", true);
            continue;
        }
        const json_t *password = json_member(item, "password");
        const json_t *domains = json_member(item, "domains");
        int rc = read_required_text(r, json_member(item, "cert"), &auth->cert);
        if (rc == 0)
            rc = read_required_text(r, json_member(item, "key"), &auth->key);
        if (rc == 0 && password != NULL)
            rc = json_read_text(r, password, &auth->password);
        if (rc == 0 && domains != NULL)
            rc = json_read_list(r, domains, &auth->domains, true);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_threshold(struct json_reader *r, const json_t *v, struct threshold_def *out) {
    *out = (struct threshold_def){.source = ""};
    if (json_is_string(v) || json_is_null(v))
        return json_is_null(v) ? 0 : read_required_text(r, v, &out->source);
    if (!json_is_object(v))
        return json_type_error(r, v, "metrics.rawThresholdConfig", true);
    const json_t *abort_on_fail = json_member(v, "abortOnFail");
    const json_t *delay = json_member(v, "delayAbortEval");
    int rc = read_required_text(r, json_member(v, "threshold"), &out->source);
    if (rc == 0 && abort_on_fail != NULL) {
        if (!json_is_boolean(abort_on_fail)) {
            r->field = "thresholds.abortOnFail";
            return json_type_error(r, abort_on_fail, "bool", true);
        }
        out->abort_on_fail = json_is_true(abort_on_fail);
    }
    if (rc == 0 && delay != NULL)
        rc = json_read_duration(r, delay, &out->delay_abort);
    return rc;
}

static int read_thresholds(struct json_reader *r, const json_t *v, struct opt_thresholds *out) {
    size_t n;
    if (!json_is_object(v))
        return json_type_error(r, v, "map[string]metrics.Thresholds", false);
    const char **keys = json_sorted_keys(r, v, &n);
    *out = (struct opt_thresholds){arena_alloc(r->arena, (n + 1) * sizeof *out->items), n, true};
    for (size_t i = 0; i < n; i++) {
        const json_t *list = json_object_get(v, keys[i]);
        struct metric_thresholds *m = &out->items[i];
        *m = (struct metric_thresholds){arena_strndup(r->arena, keys[i], strlen(keys[i])), NULL, 0};
        if (!json_is_array(list)) {
            if (!json_is_null(list))
                json_type_error(r, list, "[]metrics.thresholdConfig", true);
            continue;
        }
        m->len = json_array_size(list);
        m->items = arena_alloc(r->arena, (m->len + 1) * sizeof *m->items);
        for (size_t k = 0; k < m->len; k++) {
            int rc = read_threshold(r, json_array_get(list, k), &m->items[k]);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int read_cidrs(struct json_reader *r, const json_t *v, struct opt_list *out) {
    if (!json_is_array(v))
        return json_type_error(r, v, "[]*lib.IPNet", false);
    *out = (struct opt_list){.is_set = true};
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *item = json_array_get(v, i);
        struct error cause = {0};
        const char *cidr;
        if (!json_is_string(item)) {
            json_type_error(r, item, "*lib.IPNet", false);
            continue;
        }
        if (option_cidr_parse(r->arena, slice_cstr(json_string_value(item)), &cidr, &cause) != 0)
            return json_fail(r, "failed to parse CIDR '%s': %s", json_string_value(item),
                             cause.text);
        option_list_append(r->arena, out, slice_cstr(cidr));
    }
    return 0;
}

static int read_hostnames(struct json_reader *r, const json_t *v, struct opt_list *out) {
    int rc = json_read_list(r, v, out, true);
    for (size_t i = 0; rc == 0 && i < out->len; i++)
        rc = option_hostname_check(slice_cstr(out->items[i]), false, r->err);
    return rc;
}

static int read_hosts(struct json_reader *r, const json_t *v, struct opt_map *out) {
    struct opt_map source = {0};
    int rc = json_read_map(r, v, &source, true);
    *out = (struct opt_map){.is_set = source.is_set};
    for (size_t i = 0; rc == 0 && i < source.len; i++)
        rc = option_host_add(r->arena, out, slice_cstr(source.items[i].key),
                             slice_cstr(source.items[i].value), r->err);
    return rc;
}

static int read_system_tags(struct json_reader *r, const json_t *v, struct opt_system_tags *out) {
    struct opt_list names = {0};
    int rc = json_read_list(r, v, &names, true);
    if (rc == 0)
        option_system_tags(&names, out);
    return rc;
}

static int read_option(struct json_reader *r, const struct option_row *row, const json_t *v,
                       void *field) {
    switch (row->kind) {
    case OPTION_BOOL:
        return json_read_bool(r, v, field);
    case OPTION_INT:
        return json_read_int(r, v, field);
    case OPTION_DURATION:
        return json_read_duration(r, v, field);
    case OPTION_TEXT:
        return json_read_text(r, v, field);
    case OPTION_LIST:
        return json_read_list(r, v, field, false);
    case OPTION_MAP:
        return json_read_map(r, v, field, false);
    case OPTION_STAGES:
        return json_read_stages(r, v, field, false);
    case OPTION_SCENARIOS:
        return json_read_scenarios(r, v, field);
    case OPTION_SEGMENT:
        return read_segment(r, v, field);
    case OPTION_SEQUENCE:
        return read_sequence(r, v, field);
    case OPTION_DNS:
        return read_dns(r, v, field);
    case OPTION_CIPHER_SUITES:
        return read_cipher_suites(r, v, field);
    case OPTION_TLS_VERSION:
        return read_tls_version(r, v, field);
    case OPTION_TLS_AUTH:
        return read_tls_auth(r, v, field);
    case OPTION_THRESHOLDS:
        return read_thresholds(r, v, field);
    case OPTION_CIDRS:
        return read_cidrs(r, v, field);
    case OPTION_HOSTNAMES:
        return read_hostnames(r, v, field);
    case OPTION_HOSTS:
        return read_hosts(r, v, field);
    case OPTION_RAW:
        return json_read_raw(r, v, field);
    case OPTION_RAW_OBJECT:
        return json_is_object(v) ? json_read_raw(r, v, field)
                                 : json_type_error(r, v, "map[string]json.RawMessage", false);
    case OPTION_SYSTEM_TAGS:
        return read_system_tags(r, v, field);
    case OPTION_IP_POOL:
        break;
    }
    return 0;
}

static const struct option_row *find_row(const char *key) {
    const struct option_row *inexact = NULL;
    for (const struct option_row *row = option_rows; row->key != NULL; row++) {
        if ((row->flags & OPTION_NOT_IN_JSON) ||
            ((row->flags & OPTION_NOT_V051) && compat_is_v051()))
            continue;
        if (strcmp(row->key, key) == 0)
            return row;
        if (slice_ieq(slice_cstr(row->key), slice_cstr(key)))
            inexact = row;
    }
    return inexact;
}

static int read_members(struct json_reader *r, const json_t *root, struct options *out,
                        const char **out_unknown) {
    size_t n;
    const char **keys = json_sorted_keys(r, root, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(root, keys[i]);
        const struct option_row *row = find_row(keys[i]);
        if (row == NULL) {
            if (out_unknown != NULL && **out_unknown == '\0')
                *out_unknown = arena_strndup(r->arena, keys[i], strlen(keys[i]));
            continue;
        }
        if (json_is_null(v))
            continue;
        r->field = row->key;
        int rc = read_option(r, row, v, option_field(out, row));
        if (rc != 0)
            return rc;
    }
    return 0;
}

int options_from_json(struct arena *a, struct slice json, bool is_script, struct options *out,
                      const char **out_unknown, struct error *err) {
    json_error_t parse_error;
    struct error discarded;
    struct json_reader r = {.arena = a,
                            .err = err ? err : &discarded,
                            .field = "",
                            .struct_name = is_script ? "Options" : "Config"};
    int rc = 0;
    char *text = NULL;
    options_init(out);
    if (out_unknown != NULL)
        *out_unknown = "";
    json_t *root = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, &parse_error);
    if (root == NULL) /* an integer beyond 64 bits? */
        root = json_loadb(json.ptr, json.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    if (root == NULL) {
        bool is_cut = json_error_code(&parse_error) == json_error_premature_end_of_input;
        return error_set(err, KE_CONFIG, "%s",
                         is_cut ? "unexpected end of JSON input" : parse_error.text);
    }
    if (is_script)
        r.text = text = json_dumps(root, JSON_ENCODE_ANY | JSON_INDENT(2) | JSON_SORT_KEYS);
    if (json_is_object(root))
        rc = read_members(&r, root, out, out_unknown);
    else if (!json_is_null(root))
        json_type_error(&r, root, "", false);
    if (rc == 0 && r.saved.code != 0) {
        *r.err = r.saved;
        rc = KE_CONFIG;
    }
    free(text);
    json_decref(root);
    return rc;
}
