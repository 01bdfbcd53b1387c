/* Addresses as text, and ranges of them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "net/dial.h"

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void sockaddr_ip_text(const union sockaddr_any *a, char *out) {
    out[0] = '\0';
    if (a->sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->in4.sin_addr, out, INET6_ADDRSTRLEN);
    else if (a->sa.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->in6.sin6_addr, out, INET6_ADDRSTRLEN);
}

uint16_t sockaddr_port(const union sockaddr_any *a) {
    if (a->sa.sa_family == AF_INET)
        return ntohs(a->in4.sin_port);
    return a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

void sockaddr_set_port(union sockaddr_any *a, uint16_t port) {
    if (a->sa.sa_family == AF_INET)
        a->in4.sin_port = htons(port);
    else if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
}

socklen_t sockaddr_len(const union sockaddr_any *a) {
    return a->sa.sa_family == AF_INET ? sizeof a->in4 : sizeof a->in6;
}

int sockaddr_parse_ip(struct slice text, union sockaddr_any *out) {
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy)
        return KE_INVALID;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, copy, &out->in4.sin_addr) == 1) {
        out->sa.sa_family = AF_INET;
        return 0;
    }
    if (inet_pton(AF_INET6, copy, &out->in6.sin6_addr) != 1)
        return KE_INVALID;
    if (memcmp(&out->in6.sin6_addr, v4_mapped, sizeof v4_mapped) == 0) {
        struct in_addr in4;
        memcpy(&in4, &out->in6.sin6_addr.s6_addr[12], sizeof in4);
        memset(out, 0, sizeof *out);
        out->in4.sin_addr = in4;
        out->sa.sa_family = AF_INET;
        return 0;
    }
    out->sa.sa_family = AF_INET6;
    return 0;
}

int sockaddr_parse(struct slice text, union sockaddr_any *out) {
    if (sockaddr_parse_ip(text, out) == 0)
        return 0;
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return KE_INVALID;
    struct slice ip = slice_from(text.ptr, colon - 1);
    struct slice port_text = slice_from(text.ptr + colon, text.len - colon);
    bool has_brackets = ip.ptr[0] == '[';
    if (has_brackets) {
        if (ip.len < 2 || ip.ptr[ip.len - 1] != ']')
            return KE_INVALID;
        ip = slice_from(ip.ptr + 1, ip.len - 2);
    }
    uint64_t port;
    if (sockaddr_parse_ip(ip, out) != 0 || !slice_to_u64(port_text, &port) || port > UINT16_MAX)
        return KE_INVALID;
    if (!has_brackets && out->sa.sa_family == AF_INET6)
        return KE_INVALID;
    sockaddr_set_port(out, (uint16_t)port);
    return 0;
}

static void address_bytes(const union sockaddr_any *a, uint8_t out[16]) {
    if (a->sa.sa_family == AF_INET) {
        memcpy(out, v4_mapped, sizeof v4_mapped);
        memcpy(out + 12, &a->in4.sin_addr, 4);
    } else {
        memcpy(out, &a->in6.sin6_addr, 16);
    }
}

static void mask_host(uint8_t addr[16], unsigned prefix_bits) {
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = prefix_bits > i * 8 ? prefix_bits - i * 8 : 0;
        addr[i] &= kept >= 8 ? 0xff : (uint8_t)(0xff00u >> kept);
    }
}

int ip_range_parse(struct slice cidr, struct ip_range *out) {
    struct slice rest = cidr, ip = slice_cut(&rest, '/');
    union sockaddr_any a;
    uint64_t bits;
    if (rest.ptr == NULL || !slice_to_u64(rest, &bits) || sockaddr_parse_ip(ip, &a) != 0)
        return KE_INVALID;
    bool is_v4 = a.sa.sa_family == AF_INET;
    if (bits > (is_v4 ? 32u : 128u))
        return KE_INVALID;
    address_bytes(&a, out->addr);
    out->prefix_bits = (uint8_t)(bits + (is_v4 ? 96 : 0));
    mask_host(out->addr, out->prefix_bits);
    return 0;
}

static bool range_is_v4(const struct ip_range *r) {
    return r->prefix_bits >= 96 && memcmp(r->addr, v4_mapped, sizeof v4_mapped) == 0;
}

/* A range of one family has no address of the other, as in Go. */
bool ip_range_contains(const struct ip_range *r, const union sockaddr_any *a) {
    if (range_is_v4(r) != (a->sa.sa_family == AF_INET))
        return false;
    uint8_t addr[16];
    address_bytes(a, addr);
    mask_host(addr, r->prefix_bits);
    return memcmp(addr, r->addr, sizeof addr) == 0;
}

void ip_range_text(const struct ip_range *r, char *out, size_t bytes) {
    char ip[INET6_ADDRSTRLEN];
    bool is_v4 = range_is_v4(r);
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? r->addr + 12 : r->addr, ip, sizeof ip);
    snprintf(out, bytes, "%s/%d", ip, is_v4 ? r->prefix_bits - 96 : r->prefix_bits);
}

void sockaddr_text(const union sockaddr_any *a, char *out, size_t bytes) {
    char ip[INET6_ADDRSTRLEN];
    sockaddr_ip_text(a, ip);
    snprintf(out, bytes, a->sa.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, sockaddr_port(a));
}
