#include "js/mod/http_internal.h"

#include <stdlib.h>

#include "base/check.h"
#include "fiber/worker.h"

/* Direct-mapped and small: a load test asks for few distinct URLs many times, and one with endless
 * distinct URLs should not grow. Entries in use survive their eviction by reference count. */
#define CACHE_SLOTS 1024

struct url_cache {
    struct http_url_entry *slots[CACHE_SLOTS];
};

static const char cache_key;
static _Thread_local struct url_cache *cache; /* the worker's; also worker_local, to be freed */

static void cache_free(void *value) {
    struct url_cache *c = value;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        http_url_entry_unref(c->slots[i]);
    if (cache == c)
        cache = NULL;
    free(c);
}

static struct url_cache *cache_new(void) {
    cache = xcalloc(1, sizeof *cache);
    worker_local_set(worker_self(), &cache_key, cache, cache_free);
    return cache;
}

struct http_url_entry *http_url_entry_get(struct slice text, struct error *err) {
    uint64_t hash = hash_bytes(text.ptr, text.len);
    struct url_cache *c = likely(cache != NULL) ? cache : cache_new();
    struct http_url_entry **slot = &c->slots[hash % CACHE_SLOTS];
    struct http_url_entry *e = *slot;
    if (likely(e && e->hash == hash && slice_eq(slice_from(e->source, e->source_len), text))) {
        e->refs++;
        return e;
    }
    e = xcalloc(1, sizeof *e);
    if (url_parse(text, &e->url, err)) {
        free(e);
        return NULL;
    }
    e->hash = hash;
    e->source = xstrndup(text.ptr, text.len);
    e->source_len = text.len;
    e->tag_text = url_masked(&e->url);
    e->tag_len = strlen(e->tag_text);
    e->refs = 2;
    http_url_entry_unref(*slot);
    *slot = e;
    return e;
}

void http_url_entry_unref(struct http_url_entry *e) {
    if (!e || --e->refs)
        return;
    url_release(&e->url);
    free(e->source);
    free(e->tag_text);
    free(e);
}
