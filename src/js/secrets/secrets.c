#include "js/secrets/secrets.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log_redact.h"
#include "js/script_internal.h"
#include "js/secrets/source.h"

struct secrets {
    struct map sources;              /* name -> struct secret_source * */
    struct secret_source *preferred; /* the one marked as default; NULL = none */
    pthread_mutex_t lock;
};

static struct secrets *installed;

void secrets_install(struct secrets *s) {
    installed = s;
}

struct secrets *secrets_installed(void) {
    return installed;
}

struct secrets *secrets_new(void) {
    struct secrets *s = xcalloc(1, sizeof *s);
    map_init(&s->sources);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void source_free(struct secret_source *source) {
    struct map_entry *e;
    source->kind->free_state(source->state);
    for (size_t i = 0; (e = map_next(&source->values, &i));)
        free(e->value);
    map_release(&source->values);
    free(source);
}

void secrets_free(struct secrets *s) {
    struct map_entry *e;
    if (!s)
        return;
    for (size_t i = 0; (e = map_next(&s->sources, &i));)
        source_free(e->value);
    map_release(&s->sources);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- adding ---- */

/* Takes "default" and "name=x" out of a list. *out_name is a heap string or NULL. */
static void split_config(struct slice config, struct buf *out_rest, char **out_name,
                         bool *out_default) {
    bool is_first = true;
    *out_name = NULL;
    *out_default = false;
    do {
        struct slice item = slice_cut(&config, ',');
        if (slice_eq(item, SLICE("default"))) {
            *out_default = true;
        } else if (slice_starts(item, SLICE("name=")) || slice_eq(item, SLICE("name"))) {
            free(*out_name);
            *out_name = item.len > 5 ? xstrndup(item.ptr + 5, item.len - 5) : xstrdup("");
        } else {
            if (!is_first)
                buf_append_char(out_rest, ',');
            buf_append_slice(out_rest, item);
            is_first = false;
        }
    } while (config.ptr);
}

static const struct secret_kind *find_kind(struct slice name) {
    static const struct secret_kind *const kinds[] = {&secret_kind_file, &secret_kind_mock,
                                                      &secret_kind_url};
    for (size_t i = 0; i < countof(kinds); i++)
        if (slice_eq(name, slice_cstr(kinds[i]->name)))
            return kinds[i];
    return NULL;
}

/* Makes the source of a kind known under its name. */
static int add(struct secrets *s, const struct secret_kind *kind, const char *line,
               struct slice config, struct error *err) {
    struct buf rest;
    char *name = NULL, *q = quoted(line);
    bool is_default = false;
    buf_init(&rest, BUF_NO_CAP);
    if (config.ptr)
        split_config(config, &rest, &name, &is_default);
    if (!name || !*name) {
        free(name);
        name = xstrdup(kind->name);
    }
    struct secret_source *source = xcalloc(1, sizeof *source);
    source->kind = kind;
    map_init(&source->values);
    int rc = kind->open(slice_cstr(buf_cstr(&rest)), &source->state, err);
    if (rc == 0 && map_has(&s->sources, slice_cstr(name)))
        rc = error_set(err, KE_CONFIG,
                       "secret source for name \"%s\" already registered before configuration %s",
                       kind->name, q);
    else if (rc == 0 && is_default && (s->preferred || map_has(&s->sources, SLICE("default"))))
        rc = error_set(err, KE_CONFIG,
                       "can't have two secret sources that are default ones, second one was \"%s\"",
                       buf_cstr(&rest));
    if (rc) {
        source_free(source);
    } else {
        map_set(&s->sources, slice_cstr(name), source);
        if (is_default)
            s->preferred = source;
    }
    free(name);
    free(q);
    buf_release(&rest);
    return rc;
}

int secrets_add(struct secrets *s, const char *line, struct error *err) {
    struct slice config = slice_cstr(line), type = slice_cut(&config, '=');
    const struct secret_kind *kind = find_kind(type);
    if (kind)
        return add(s, kind, line, config, err);
    char *q = quoted(line), *type_name = slice_dup(type), *quoted_type = quoted(type_name);
    if (slice_trim(slice_cstr(line)).len == 0)
        error_set(err, KE_CONFIG, "couldn't parse secret source configuration %s", q);
    else
        error_set(err, KE_CONFIG, "no secret source for type %s for configuration %s", quoted_type,
                  q);
    free(quoted_type);
    free(type_name);
    free(q);
    return KE_CONFIG;
}

/* ---- values ---- */

/* "default": the one that is marked, or the only one. */
static struct secret_source *find_source(struct secrets *s, const char *name, struct error *err) {
    struct secret_source *source = s ? map_get(&s->sources, slice_cstr(name)) : NULL;
    size_t pos = 0;
    if (s && !source && strcmp(name, "default") == 0)
        source = s->sources.len == 1 ? map_next(&s->sources, &pos)->value : s->preferred;
    if (!s || s->sources.len == 0) {
        error_set(err, KE_NOT_FOUND, "no secret sources are configured");
    } else if (!source) {
        char *q = quoted(name);
        error_set(err, KE_NOT_FOUND, "no secret source with name %s is configured", q);
        free(q);
    }
    return source;
}

static const char *cached(struct secrets *s, struct secret_source *source, struct slice key) {
    pthread_mutex_lock(&s->lock);
    const char *value = map_get(&source->values, key);
    pthread_mutex_unlock(&s->lock);
    return value;
}

bool secrets_is_quick(struct secrets *s, const char *source_name, struct slice key) {
    struct secret_source *source = find_source(s, source_name, NULL);
    return !source || !source->kind->is_slow || cached(s, source, key);
}

/* Another fiber may have fetched it meanwhile: the first value stays. */
static const char *keep(struct secrets *s, struct secret_source *source, struct slice key,
                        char *value) {
    pthread_mutex_lock(&s->lock);
    char *known = map_get(&source->values, key);
    if (known)
        free(value);
    else
        map_set(&source->values, key, known = value);
    pthread_mutex_unlock(&s->lock);
    log_redact_add(slice_cstr(known));
    return known;
}

int secrets_get(struct secrets *s, const char *source_name, struct slice key, struct slice *out,
                struct error *err) {
    struct secret_source *source = find_source(s, source_name, err);
    char *fetched;
    if (!source)
        return KE_NOT_FOUND;
    const char *value = cached(s, source, key);
    if (!value) {
        int rc = source->kind->fetch(source->state, key, &fetched, err);
        if (rc)
            return rc;
        value = keep(s, source, key, fetched);
    }
    *out = slice_cstr(value);
    return 0;
}
