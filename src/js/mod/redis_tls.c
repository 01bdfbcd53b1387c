#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/list.h"
#include "js/mod/redis.h"

struct entry {
    struct list link;
    const struct tls_config *base;
    char *key; /* all that it is made of */
    struct tls_config *cfg;
    size_t refs;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list entries = {&entries, &entries};

static char *key_of(const struct redis_options *o) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "%d\n%s\n%s\n", o->skips_verify, o->cert ? o->cert : "", o->key ? o->key : "");
    for (size_t i = 0; i < o->n_ca; i++)
        buf_printf(&b, "%s\n", o->ca[i]);
    return buf_detach(&b, NULL);
}

static struct entry *find(const struct tls_config *base, const char *key) {
    for (struct list *l = entries.next; l != &entries; l = l->next) {
        struct entry *e = container_of(l, struct entry, link);
        if (e->base == base && strcmp(e->key, key) == 0)
            return e;
    }
    return NULL;
}

struct tls_config *js_redis_tls_ref(const struct tls_config *base, const struct redis_options *o,
                                    struct error *err) {
    bool has_cert = o->cert && *o->cert && o->key && *o->key;
    struct tls_client_cert cert = {.cert_pem = o->cert, .key_pem = o->key};
    struct tls_own own = {.cert = has_cert ? &cert : NULL,
                          .cacerts = (const char *const *)o->ca,
                          .n_cacerts = o->n_ca,
                          .insecure_skip_verify = o->skips_verify};
    struct tls_config *cfg = NULL;
    char *key = key_of(o);
    pthread_mutex_lock(&lock);
    struct entry *e = find(base, key);
    if (!e && (cfg = tls_config_derive(base, &own, err))) {
        e = xcalloc(1, sizeof *e);
        e->base = base;
        e->key = key;
        e->cfg = cfg;
        key = NULL;
        list_push_back(&entries, &e->link);
    }
    if (e) {
        e->refs++;
        cfg = e->cfg;
    }
    pthread_mutex_unlock(&lock);
    free(key);
    return cfg;
}

void js_redis_tls_unref(struct tls_config *cfg) {
    struct entry *last = NULL;
    pthread_mutex_lock(&lock);
    for (struct list *l = entries.next; cfg && l != &entries; l = l->next) {
        struct entry *e = container_of(l, struct entry, link);
        if (e->cfg == cfg) {
            if (--e->refs == 0)
                last = e;
            break;
        }
    }
    if (last)
        list_remove(&last->link);
    pthread_mutex_unlock(&lock);
    if (last) {
        tls_config_free(last->cfg);
        free(last->key);
        free(last);
    }
}
