/* TLS settings of gRPC clients: those of the run with certificates of the client's own. Made once a
 * process for the same certificates, since the roots take milliseconds to read. */
#pragma once

#include "net/tls.h"

struct grpc_tls_own {
    const char *cert_pem, *key_pem, *password; /* NULL or "" = none */
    const char *const *cacerts;                /* PEM; beside the system's roots */
    size_t n_cacerts;
};

/* Different settings in one process. */
#define GRPC_TLS_MAX 4096

/* Lives as long as the program. NULL with k6's words. Any thread. */
const struct tls_config *grpc_tls_config(const struct tls_config *base,
                                         const struct grpc_tls_own *own, struct error *err);
