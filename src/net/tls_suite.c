#include "net/tls_suite.h"

#include <pthread.h>
#include <string.h>

#include "base/check.h"

static const struct tls_suite suites[] = {
    {0x0005, "TLS_RSA_WITH_RC4_128_SHA", NULL},
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", NULL},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
    {0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", NULL},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", NULL},
    {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", NULL},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {0x1301, "TLS_AES_128_GCM_SHA256", NULL},
    {0x1302, "TLS_AES_256_GCM_SHA384", NULL},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", NULL},
};

const char tls_suites_default12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
const char tls_suites_default13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

const struct tls_suite *tls_suite_by_name(const char *name) {
    for (size_t i = 0; i < countof(suites); i++) {
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    }
    return NULL;
}

bool tls_cipher_suite_is_known(const char *name) {
    return tls_suite_by_name(name) != NULL;
}

/* ---------------------------------------------------------------- interned descriptions */

static const char *const versions[] = {"", "tls1.0", "tls1.1", "tls1.2", "tls1.3"};

/* One more suite, for those without a name in Go. */
static struct tls_info infos[countof(suites) + 1][countof(versions)][2];

static void infos_fill(void) {
    for (size_t s = 0; s <= countof(suites); s++) {
        for (size_t v = 0; v < countof(versions); v++) {
            for (int h2 = 0; h2 < 2; h2++)
                infos[s][v][h2] = (struct tls_info){
                    versions[v], s < countof(suites) ? suites[s].name : "", h2 == 1};
        }
    }
}

const struct tls_info *tls_info_intern(int version, uint16_t suite_id, bool is_h2) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, infos_fill);
    size_t s = 0;
    while (s < countof(suites) && suites[s].id != suite_id)
        s++;
    size_t v = version >= 0x0301 && version <= 0x0304 ? (size_t)(version - 0x0300) : 0;
    return &infos[s][v][is_h2];
}
