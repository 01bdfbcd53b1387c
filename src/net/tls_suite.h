/* Cipher suites by Go's names. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/tls.h"

struct tls_suite {
    uint16_t id;
    const char *name;         /* Go's, k6's */
    const char *openssl_name; /* NULL: not made by OpenSSL any more */
};

const struct tls_suite *tls_suite_by_name(const char *name);

/* Colon-separated OpenSSL names of Go's default TLS 1.2 suites, most wanted first. */
extern const char tls_suites_default12[];
extern const char tls_suites_default13[];

/* The interned description; version is 0x0301..0x0304. */
const struct tls_info *tls_info_intern(int version, uint16_t suite_id, bool is_h2);
