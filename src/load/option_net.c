/* Options that are addresses: CIDRs, host names, host overrides, pools of local addresses. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/check.h"
#include "base/go_parse.h"
#include "load/option_parse.h"

/* The bytes of an address and its length, 4 or 16; 0 when text is none. */
static size_t parse_ip(struct slice text, uint8_t out[16]) {
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy)
        return 0;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, out) == 1)
        return 4;
    return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

static void format_ip(const uint8_t *ip, size_t len, char out[INET6_ADDRSTRLEN]) {
    inet_ntop(len == 4 ? AF_INET : AF_INET6, ip, out, INET6_ADDRSTRLEN);
}

static bool parse_cidr(struct slice text, uint8_t ip[16], size_t *len, unsigned *bits) {
    struct slice rest = text, address = slice_cut(&rest, '/');
    uint64_t value;
    *len = parse_ip(address, ip);
    if (*len == 0 || rest.ptr == NULL || !slice_to_u64(rest, &value) || value > *len * 8)
        return false;
    *bits = (unsigned)value;
    return true;
}

static void mask_host(uint8_t *ip, size_t len, unsigned bits, uint8_t fill) {
    for (size_t i = 0; i < len; i++) {
        unsigned kept = bits > i * 8 ? bits - (unsigned)(i * 8) : 0;
        uint8_t mask = kept >= 8 ? 0xff : (uint8_t)(0xff00u >> kept);
        ip[i] = (uint8_t)((ip[i] & mask) | (fill & (uint8_t)~mask));
    }
}

int option_cidr_parse(struct arena *a, struct slice text, const char **out, struct error *err) {
    uint8_t ip[16];
    size_t len;
    unsigned bits;
    char shown[INET6_ADDRSTRLEN];
    if (!parse_cidr(text, ip, &len, &bits))
        return error_set(err, KE_CONFIG, "invalid CIDR address: %.*s", SLICE_FMT(text));
    mask_host(ip, len, bits, 0);
    format_ip(ip, len, shown);
    *out = arena_printf(a, "%s/%u", shown, bits);
    return 0;
}

/* A label: letters, digits and inner hyphens. */
static bool is_label(struct slice s) {
    if (s.len == 0 || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && s.ptr[i] != '-')
            return false;
    return true;
}

int option_hostname_check(struct slice text, bool is_host, struct error *err) {
    struct slice rest = text;
    bool has_star = slice_starts(rest, SLICE("*")), is_ok = true;
    if (has_star)
        rest = slice_from(rest.ptr + 1, rest.len - 1);
    if (has_star && slice_starts(rest, SLICE(".")))
        rest = slice_from(rest.ptr + 1, rest.len - 1);
    if (is_host && rest.len > 0) {
        struct slice port = rest, name = slice_cut(&port, ':');
        uint64_t number;
        is_ok = port.ptr == NULL || (port.len <= 5 && slice_to_u64(port, &number));
        rest = name;
    }
    if (rest.len > 0)
        while (is_ok && rest.ptr != NULL)
            is_ok = is_label(slice_cut(&rest, '.'));
    if (is_ok)
        return 0;
    return error_set(err, KE_CONFIG, "invalid %s pattern '%.*s'", is_host ? "host" : "hostname",
                     SLICE_FMT(text));
}

/* "1.2.3.4:80" and "[::1]:80"; false when there is no port. */
static bool split_host_port(struct slice text, struct slice *ip, struct slice *port) {
    const char *colon = NULL;
    size_t colons = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ':') {
            colon = text.ptr + i;
            colons++;
        }
    bool has_brackets = slice_starts(text, SLICE("["));
    if (colon == NULL || (colons > 1 && !has_brackets))
        return false;
    *ip = slice_from(text.ptr, (size_t)(colon - text.ptr));
    *port = slice_from(colon + 1, text.len - ip->len - 1);
    if (!has_brackets)
        return true;
    if (!slice_ends(*ip, SLICE("]")))
        return false;
    *ip = slice_from(ip->ptr + 1, ip->len - 2);
    return true;
}

int option_host_add(struct arena *a, struct opt_map *hosts, struct slice key, struct slice value,
                    struct error *err) {
    struct slice ip_text = value, port_text = {0};
    int64_t port = 0;
    uint8_t ip[16];
    char shown[INET6_ADDRSTRLEN];
    int rc = 0;
    if (split_host_port(value, &ip_text, &port_text))
        rc = go_parse_int(port_text, 10, &port, err);
    if (rc == 0)
        rc = option_hostname_check(key, true, err);
    if (rc != 0)
        return rc;
    size_t len = parse_ip(ip_text, ip);
    if (len == 0)
        return error_set(err, KE_CONFIG, "invalid IP address '%.*s' for host '%.*s'",
                         SLICE_FMT(ip_text), SLICE_FMT(key));
    format_ip(ip, len, shown);
    const char *text = shown;
    if (port != 0)
        text = arena_printf(a, len == 4 ? "%s:%d" : "[%s]:%d", shown, (int)port);
    char *lower = arena_strndup(a, key.ptr, key.len);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    option_map_set(a, hosts, slice_cstr(lower), slice_cstr(text));
    return 0;
}

/* last - first + 1 within 2^63, or 0 when last is before first. */
static uint64_t count_between(const uint8_t *first, const uint8_t *last, size_t len) {
    if (memcmp(first, last, len) > 0)
        return 0;
    unsigned __int128 from = 0, to = 0;
    for (size_t i = 0; i < len; i++) {
        from = from << 8 | first[i];
        to = to << 8 | last[i];
    }
    unsigned __int128 count = to - from;
    return count >= INT64_MAX ? (uint64_t)INT64_MAX : (uint64_t)count + 1;
}

static void add_to_ip(uint8_t *ip, size_t len, uint64_t offset) {
    for (size_t i = len; i-- > 0 && offset != 0;) {
        offset += ip[i];
        ip[i] = (uint8_t)offset;
        offset >>= 8;
    }
}

static int parse_range(struct slice text, struct ip_block *out, struct error *err) {
    struct slice second = text, first = slice_cut(&second, '-');
    uint8_t last[16];
    if (second.ptr == NULL)
        second = first;
    size_t len = parse_ip(first, out->first), last_len = parse_ip(second, last);
    if (len == 0 || last_len == 0)
        return error_set(err, KE_CONFIG, "wrong IP range format: %.*s", SLICE_FMT(text));
    if (len != last_len)
        return error_set(err, KE_CONFIG, "mixed IP range format: %.*s", SLICE_FMT(text));
    out->family = len == 4 ? AF_INET : AF_INET6;
    out->count = count_between(out->first, last, len);
    if (out->count == 0)
        return error_set(err, KE_CONFIG, "negative IP range: %.*s", SLICE_FMT(text));
    return 0;
}

static int parse_network(struct slice text, struct ip_block *out, struct error *err) {
    uint8_t last[16];
    size_t len;
    unsigned bits;
    if (!parse_cidr(text, out->first, &len, &bits))
        return error_set(err, KE_CONFIG,
                         "parseCIDR() failed parsing %.*s: invalid CIDR address: %.*s",
                         SLICE_FMT(text), SLICE_FMT(text));
    mask_host(out->first, len, bits, 0);
    memcpy(last, out->first, len);
    mask_host(last, len, bits, 0xff);
    out->family = len == 4 ? AF_INET : AF_INET6;
    out->count = count_between(out->first, last, len);
    if (len == 4 && out->count > 2) { /* network and broadcast addresses */
        add_to_ip(out->first, len, 1);
        out->count -= 2;
    }
    return 0;
}

int option_ip_pool_parse(struct arena *a, struct slice text, struct ip_pool *out,
                         struct error *err) {
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == ',';
    *out = (struct ip_pool){arena_alloc(a, n * sizeof *out->blocks), 0, 0};
    while (text.ptr != NULL) {
        struct slice part = slice_cut(&text, ',');
        struct ip_block *block = &out->blocks[out->len++];
        bool is_range = part.len > 0 && memchr(part.ptr, '-', part.len) != NULL;
        bool is_network = part.len > 0 && memchr(part.ptr, '/', part.len) != NULL;
        uint8_t ip[16];
        int rc;
        *block = (struct ip_block){0};
        if (!is_range && !is_network && parse_ip(part, ip) == 0)
            return error_set(err, KE_CONFIG, "%.*s is not a valid IP, IP range or CIDR",
                             SLICE_FMT(part));
        rc = !is_range && is_network ? parse_network(part, block, err)
                                     : parse_range(part, block, err);
        if (rc != 0)
            return rc;
        out->count += block->count;
        if (out->count > INT64_MAX)
            out->count = INT64_MAX;
    }
    return 0;
}

void option_ip_pool_get(const struct ip_pool *pool, uint64_t index, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    if (pool->count == 0)
        return;
    index %= pool->count;
    for (size_t i = 0; i < pool->len; i++) {
        const struct ip_block *block = &pool->blocks[i];
        if (index >= block->count) {
            index -= block->count;
            continue;
        }
        uint8_t ip[16];
        memcpy(ip, block->first, sizeof ip);
        out->ss_family = (sa_family_t)block->family;
        if (block->family == AF_INET) {
            add_to_ip(ip, 4, index);
            memcpy(&((struct sockaddr_in *)out)->sin_addr, ip, 4);
        } else {
            add_to_ip(ip, 16, index);
            memcpy(&((struct sockaddr_in6 *)out)->sin6_addr, ip, 16);
        }
        return;
    }
}
