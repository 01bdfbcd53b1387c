#include "grpc/grpc_tls.h"

#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/wire.h"

static struct map configs; /* key_of -> struct tls_config * */
static size_t n_configs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put(struct buf *key, const char *text) {
    wire_put_text(key, slice_cstr(text ? text : ""));
}

static void key_of(struct buf *key, const struct tls_config *base, const struct grpc_tls_own *own) {
    buf_append(key, &base, sizeof base);
    put(key, own->cert_pem);
    put(key, own->key_pem);
    put(key, own->password);
    for (size_t i = 0; i < own->n_cacerts; i++)
        put(key, own->cacerts[i]);
}

/* k6: the client's certificate replaces those of the run. */
static struct tls_config *derive(const struct tls_config *base, const struct grpc_tls_own *own,
                                 struct error *err) {
    struct tls_client_cert cert = {own->cert_pem, own->key_pem, own->password, NULL, 0};
    bool has_cert = own->cert_pem && *own->cert_pem && own->key_pem && *own->key_pem;
    struct tls_own tls = {.cert = has_cert ? &cert : NULL,
                          .drops_base_certs = true,
                          .cacerts = own->cacerts,
                          .n_cacerts = own->n_cacerts,
                          .keeps_system_roots = true,
                          .refuses_bad_cacerts = true};
    struct error why;
    struct tls_config *cfg = tls_config_derive(base, &tls, &why);
    if (!cfg)
        error_set(err, KE_CONFIG, "%s%.440s",
                  strncmp(why.text, "tls: ", 5) == 0 ? "failed to append certificate from PEM: "
                                                     : "",
                  why.text);
    return cfg;
}

const struct tls_config *grpc_tls_config(const struct tls_config *base,
                                         const struct grpc_tls_own *own, struct error *err) {
    struct buf key;
    buf_init(&key, BUF_NO_CAP);
    key_of(&key, base, own);
    pthread_mutex_lock(&lock);
    struct tls_config *cfg = map_get(&configs, buf_slice(&key));
    if (!cfg && n_configs == GRPC_TLS_MAX) {
        error_set(err, KE_TOO_LARGE, "more than %d different TLS settings of gRPC clients",
                  GRPC_TLS_MAX);
    } else if (!cfg) {
        cfg = derive(base, own, err);
        if (cfg) {
            if (n_configs++ == 0)
                map_init(&configs);
            map_set(&configs, buf_slice(&key), cfg);
        }
    }
    pthread_mutex_unlock(&lock);
    buf_release(&key);
    return cfg;
}
