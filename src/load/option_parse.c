#include "load/option_parse.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/go_parse.h"
#include "metrics/tags.h"

void option_list_append(struct arena *a, struct opt_list *list, struct slice item) {
    const char **items = arena_alloc(a, (list->len + 1) * sizeof *items);
    if (list->len > 0)
        memcpy(items, list->items, list->len * sizeof *items);
    items[list->len++] = arena_strndup(a, item.ptr, item.len);
    list->items = items;
    list->is_set = true;
}

void option_list_parse(struct arena *a, struct slice text, struct opt_list *out) {
    *out = (struct opt_list){.is_set = true};
    while (text.ptr != NULL && text.len > 0)
        option_list_append(a, out, slice_cut(&text, ','));
}

/* One field at *s, which moves past it and its comma; *more says whether another follows. */
static int csv_field(struct slice *s, struct buf *field, bool *more, struct error *err) {
    size_t i = 0;
    buf_reset(field);
    if (s->len > 0 && s->ptr[0] == '"') {
        for (i = 1;; i++) {
            if (i == s->len)
                return error_set(err, KE_INVALID,
                                 "parse error on line 1, column %zu: extraneous or missing \" in "
                                 "quoted-field",
                                 s->len + 1);
            if (s->ptr[i] != '"')
                buf_append_char(field, s->ptr[i]);
            else if (i + 1 < s->len && s->ptr[i + 1] == '"')
                buf_append_char(field, s->ptr[i++]);
            else
                break;
        }
        i++;
    } else {
        for (; i < s->len && s->ptr[i] != ','; i++) {
            if (s->ptr[i] == '"')
                return error_set(err, KE_INVALID,
                                 "parse error on line 1, column %zu: bare \" in non-quoted-field",
                                 i + 1);
            buf_append_char(field, s->ptr[i]);
        }
    }
    *more = i < s->len;
    *s = *more ? slice_from(s->ptr + i + 1, s->len - i - 1) : slice_from(s->ptr + i, 0);
    return 0;
}

int option_csv_append(struct arena *a, struct slice text, struct opt_list *out, struct error *err) {
    struct buf field;
    bool more = text.len > 0;
    int rc = 0;
    out->is_set = true;
    buf_init(&field, BUF_NO_CAP);
    while (more && rc == 0) {
        rc = csv_field(&text, &field, &more, err);
        if (rc == 0)
            option_list_append(a, out, buf_slice(&field));
    }
    buf_release(&field);
    return rc;
}

void option_map_set(struct arena *a, struct opt_map *map, struct slice key, struct slice value) {
    size_t at = 0;
    char *k = arena_strndup(a, key.ptr, key.len), *v = arena_strndup(a, value.ptr, value.len);
    while (at < map->len && strcmp(map->items[at].key, k) < 0)
        at++;
    map->is_set = true;
    bool is_known = at < map->len && strcmp(map->items[at].key, k) == 0;
    struct opt_pair *items = arena_alloc(a, (map->len + 1) * sizeof *items);
    if (map->len > 0)
        memcpy(items, map->items, map->len * sizeof *items);
    if (!is_known) {
        memmove(items + at + 1, items + at, (map->len - at) * sizeof *items);
        map->len++;
    }
    items[at] = (struct opt_pair){k, v};
    map->items = items;
}

const char *option_map_get(const struct opt_map *map, const char *key) {
    for (size_t i = 0; i < map->len; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return map->items[i].value;
    return NULL;
}

int option_dns_select_check(struct slice text, struct error *err) {
    if (slice_eq(text, SLICE("first")) || slice_eq(text, SLICE("random")) ||
        slice_eq(text, SLICE("roundRobin")))
        return 0;
    return error_set(err, KE_CONFIG, "%.*s does not belong to DNSSelect values", SLICE_FMT(text));
}

int option_dns_policy_check(struct slice text, struct error *err) {
    static const char *const names[] = {"preferIPv4", "preferIPv6", "onlyIPv4", "onlyIPv6", "any"};
    for (size_t i = 0; i < countof(names); i++)
        if (slice_eq(text, slice_cstr(names[i])))
            return 0;
    return error_set(err, KE_CONFIG, "%.*s does not belong to DNSPolicy values", SLICE_FMT(text));
}

int option_dns_parse(struct arena *a, struct slice text, struct opt_dns *out, struct error *err) {
    if (slice_eq(text, SLICE("ttl=5m,select=random,policy=preferIPv4")))
        return 0;
    while (text.ptr != NULL) {
        struct slice pair = slice_cut(&text, ','), value = pair, key = slice_cut(&value, '=');
        if (value.ptr == NULL || value.len == 0)
            return error_set(err, KE_CONFIG, "no value for key %.*s", SLICE_FMT(pair));
        struct opt_text text_value = {arena_strndup(a, value.ptr, value.len), true};
        int rc = 0;
        if (slice_eq(key, SLICE("ttl"))) {
            out->ttl = text_value;
        } else if (slice_eq(key, SLICE("select"))) {
            rc = option_dns_select_check(value, err);
            out->select = text_value;
        } else if (slice_eq(key, SLICE("policy"))) {
            rc = option_dns_policy_check(value, err);
            out->policy = text_value;
        } else {
            rc = error_set(err, KE_CONFIG, "unknown DNS configuration field: %.*s", SLICE_FMT(key));
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

int option_dns_ttl(const char *text, int64_t *out_ns, struct error *err) {
    *out_ns = 0;
    if (strcmp(text, "inf") == 0) {
        *out_ns = NEVER_NS;
        return 0;
    }
    if (strcmp(text, "0") == 0)
        return 0;
    if (go_parse_duration_extended(slice_cstr(*text ? text : "5m"), out_ns, NULL) != 0 ||
        *out_ns < 0)
        return error_set(err, KE_CONFIG, "invalid DNS TTL: %s", text);
    return 0;
}

int option_stage_parse(struct slice text, struct stage *out, struct error *err) {
    struct slice target = text, duration = slice_cut(&target, ':');
    int rc = 0;
    *out = (struct stage){0};
    if (duration.len > 0) {
        rc = go_parse_duration(duration, &out->duration.ns, err);
        out->duration.is_set = true;
    }
    if (rc == 0 && target.ptr != NULL && target.len > 0) {
        rc = go_parse_int(target, 10, &out->target.value, err);
        out->target.is_set = true;
    }
    return rc;
}

static const struct {
    const char *name;
    int version;
} tls_versions[] = {{"tls1.0", 0x0301}, {"tls1.1", 0x0302}, {"tls1.2", 0x0303}, {"tls1.3", 0x0304}};

int option_tls_version(struct slice name) {
    for (size_t i = 0; i < countof(tls_versions); i++)
        if (slice_eq(name, slice_cstr(tls_versions[i].name)))
            return tls_versions[i].version;
    return 0;
}

const char *option_tls_version_name(int version) {
    for (size_t i = 0; i < countof(tls_versions); i++)
        if (tls_versions[i].version == version)
            return tls_versions[i].name;
    return "";
}

bool option_is_cipher_suite(struct slice name) {
    static const char *const suites[] = {
        "TLS_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    };
    for (size_t i = 0; i < countof(suites); i++)
        if (slice_eq(name, slice_cstr(suites[i])))
            return true;
    return false;
}

void option_system_tags(const struct opt_list *names, struct opt_system_tags *out) {
    *out = (struct opt_system_tags){0, true};
    for (size_t i = 0; i < names->len; i++)
        out->bits |= system_tag_by_name(slice_trim(slice_cstr(names->items[i])));
}
