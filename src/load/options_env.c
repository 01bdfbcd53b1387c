#include "base/check.h"
#include "base/go_parse.h"
#include "load/option_parse.h"
#include "load/option_table.h"

/* Names of k6's types, as its messages show them. */
static const char *kind_type_name(enum option_kind kind) {
    switch (kind) {
    case OPTION_BOOL:
        return "null.Bool";
    case OPTION_INT:
        return "null.Int";
    case OPTION_DURATION:
        return "types.NullDuration";
    case OPTION_STAGES:
        return "[]lib.Stage";
    case OPTION_DNS:
        return "types.DNSConfig";
    case OPTION_CIDRS:
        return "[]*lib.IPNet";
    case OPTION_HOSTNAMES:
        return "types.NullHostnameTrie";
    case OPTION_HOSTS:
        return "types.NullHosts";
    case OPTION_MAP:
        return "map[string]string";
    case OPTION_IP_POOL:
        return "types.NullIPPool";
    case OPTION_CIPHER_SUITES:
        return "lib.TLSCipherSuites";
    default:
        return "string";
    }
}

static int parse_bool(struct slice text, struct opt_bool *out, struct error *err) {
    if (text.len == 0 || slice_eq(text, SLICE("null")))
        return 0;
    out->value = slice_eq(text, SLICE("true"));
    out->is_set = true;
    if (out->value || slice_eq(text, SLICE("false")))
        return 0;
    return error_set(err, KE_CONFIG, "invalid input:%.*s", SLICE_FMT(text));
}

static int parse_stages(struct arena *a, struct slice text, struct opt_stages *out,
                        struct error *err) {
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == ',';
    *out = (struct opt_stages){arena_alloc(a, n * sizeof *out->items), 0, true};
    int rc = 0;
    while (rc == 0 && text.ptr != NULL && text.len > 0)
        rc = option_stage_parse(slice_cut(&text, ','), &out->items[out->len++], err);
    return rc;
}

static int parse_map(struct arena *a, struct slice text, struct opt_map *out, struct error *err) {
    *out = (struct opt_map){.is_set = true};
    while (text.ptr != NULL && text.len > 0) {
        struct slice pair = slice_cut(&text, ','), value = pair, key = slice_cut(&value, ':');
        if (value.ptr == NULL || (value.len > 0 && memchr(value.ptr, ':', value.len)))
            return error_set(err, KE_CONFIG, "invalid map item: \"%.*s\"", SLICE_FMT(pair));
        option_map_set(a, out, key, value);
    }
    return 0;
}

static int parse_cidrs(struct arena *a, struct slice text, struct opt_list *out,
                       struct error *err) {
    struct error cause = {0};
    *out = (struct opt_list){.is_set = true};
    while (text.ptr != NULL && text.len > 0) {
        const char *cidr;
        struct slice item = slice_cut(&text, ',');
        if (option_cidr_parse(a, item, &cidr, &cause) != 0)
            return error_set(err, KE_CONFIG, "failed to parse CIDR '%.*s': %s", SLICE_FMT(item),
                             cause.text);
        option_list_append(a, out, slice_cstr(cidr));
    }
    return 0;
}

static int parse_hostnames(struct arena *a, struct slice text, struct opt_list *out,
                           struct error *err) {
    int rc = 0;
    if (text.len == 0)
        return 0;
    option_list_parse(a, text, out);
    for (size_t i = 0; i < out->len && rc == 0; i++)
        rc = option_hostname_check(slice_cstr(out->items[i]), false, err);
    return rc;
}

static int parse_cipher_suites(struct arena *a, struct slice text, struct opt_list *out,
                               struct error *err) {
    option_list_parse(a, text, out);
    for (size_t i = 0; i < out->len; i++)
        if (!option_is_cipher_suite(slice_cstr(out->items[i])))
            return error_set(err, KE_CONFIG, "unknown cipher suite '%s'", out->items[i]);
    return 0;
}

static int parse_pool(struct arena *a, struct slice text, struct opt_text *out, struct error *err) {
    struct ip_pool ignored;
    if (text.len == 0)
        return 0;
    *out = (struct opt_text){arena_strndup(a, text.ptr, text.len), true};
    return option_ip_pool_parse(a, text, &ignored, err);
}

static int parse_field(struct arena *a, const struct option_row *row, struct slice text,
                       void *field, struct error *err) {
    struct opt_list names = {0};
    switch (row->kind) {
    case OPTION_BOOL:
        return parse_bool(text, field, err);
    case OPTION_INT:
        if (text.len == 0 || slice_eq(text, SLICE("null")))
            return 0;
        ((struct opt_int *)field)->is_set = true;
        return go_parse_int(text, 10, &((struct opt_int *)field)->value, err);
    case OPTION_DURATION:
        if (text.len == 0)
            return 0;
        ((struct opt_duration *)field)->is_set = true;
        return go_parse_duration_extended(text, &((struct opt_duration *)field)->ns, err);
    case OPTION_TEXT:
        *(struct opt_text *)field =
            (struct opt_text){arena_strndup(a, text.ptr, text.len), text.len > 0};
        return 0;
    case OPTION_LIST:
        option_list_parse(a, text, field);
        return 0;
    case OPTION_MAP:
        return parse_map(a, text, field, err);
    case OPTION_STAGES:
        return parse_stages(a, text, field, err);
    case OPTION_DNS:
        return option_dns_parse(a, text, field, err);
    case OPTION_CIPHER_SUITES:
        return parse_cipher_suites(a, text, field, err);
    case OPTION_CIDRS:
        return parse_cidrs(a, text, field, err);
    case OPTION_HOSTNAMES:
        return parse_hostnames(a, text, field, err);
    case OPTION_SYSTEM_TAGS:
        option_list_parse(a, text, &names);
        option_system_tags(&names, field);
        return 0;
    case OPTION_IP_POOL:
        return parse_pool(a, text, field, err);
    default: /* structured: k6 cannot read these from a variable either */
        return 0;
    }
}

int options_from_env(struct arena *a, options_getenv_fn *getenv_fn, void *arg, struct options *out,
                     struct error *err) {
    options_init(out);
    for (const struct option_row *row = option_rows; row->key != NULL; row++) {
        const char *value = row->env != NULL ? getenv_fn(arg, row->env) : NULL;
        struct error cause = {0};
        if (value == NULL)
            continue;
        if (parse_field(a, row, slice_cstr(value), option_field(out, row), &cause) != 0)
            return error_set(err, KE_CONFIG,
                             "envconfig.Process: assigning %s to %s: converting '%s' to type %s. "
                             "details: %s",
                             row->env, row->name, value, kind_type_name(row->kind), cause.text);
    }
    return 0;
}
