#include "api/event_log.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"

/* What k6 sends, so that browsers do not come back after the end. */
#define RETRY_NEVER "9007199254740991"

struct event_text {
    unsigned refs;
    struct slice name, json; /* into frame */
    size_t bytes;
    char frame[]; /* as it is sent */
};

struct name_state {
    size_t newest; /* 1 + index of the newest; 0 = none */
    size_t oldest; /* index of the oldest that may still be there */
    size_t n;
};

struct event_log {
    pthread_mutex_t lock;
    VEC(struct event_text *) events; /* NULL: replaced */
    struct map names;                /* -> struct name_state * */
};

struct event_log *event_log_new(void) {
    struct event_log *l = xcalloc(1, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    map_init(&l->names);
    return l;
}

static void unref(struct event_text *t) {
    if (t && --t->refs == 0)
        free(t);
}

void event_log_free(struct event_log *l) {
    struct map_entry *e;
    if (!l)
        return;
    for (size_t i = 0; i < l->events.len; i++)
        unref(l->events.ptr[i]);
    vec_release(&l->events);
    for (size_t i = 0; (e = map_next(&l->names, &i));)
        free(e->value);
    map_release(&l->names);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct event_text *make_text(const char *name, struct slice json, size_t id) {
    struct buf b;
    bool is_stop = strcmp(name, "stop") == 0;
    buf_init(&b, BUF_NO_CAP);
    buf_printf(&b, "id: %zu\nevent: %s\n%sdata: ", id, name,
               is_stop ? "retry: " RETRY_NEVER "\n" : "");
    size_t json_at = b.len;
    buf_append_slice(&b, json);
    buf_append_str(&b, "\n\n");
    struct event_text *t = xmalloc(sizeof *t + b.len);
    *t = (struct event_text){.refs = 1, .bytes = b.len};
    memcpy(t->frame, b.ptr, b.len);
    t->json = slice_from(t->frame + json_at, json.len);
    t->name = slice_from((char *)memmem(t->frame, b.len, "event: ", 7) + 7, strlen(name));
    buf_release(&b);
    return t;
}

static struct name_state *state_of(struct event_log *l, const char *name) {
    struct name_state *s = map_get(&l->names, slice_cstr(name));
    if (!s) {
        s = xcalloc(1, sizeof *s);
        s->oldest = l->events.len;
        map_set(&l->names, slice_cstr(name), s);
    }
    return s;
}

static void drop(struct event_log *l, size_t i) {
    unref(l->events.ptr[i]);
    l->events.ptr[i] = NULL;
}

static void drop_oldest(struct event_log *l, struct name_state *s, const char *name) {
    while (!l->events.ptr[s->oldest] || !slice_eq(l->events.ptr[s->oldest]->name, slice_cstr(name)))
        s->oldest++;
    drop(l, s->oldest++);
    s->n--;
}

void event_log_add(struct event_log *l, const char *name, struct slice json, bool is_latest) {
    pthread_mutex_lock(&l->lock);
    struct name_state *s = state_of(l, name);
    if (is_latest && s->newest)
        drop(l, s->newest - 1);
    struct event_text *text = make_text(name, json, l->events.len + 1);
    vec_push(&l->events, text);
    s->newest = l->events.len;
    if (!is_latest && ++s->n > EVENTS_OF_A_NAME_MAX)
        drop_oldest(l, s, name);
    pthread_mutex_unlock(&l->lock);
}

void event_log_write_lines(struct event_log *l, struct buf *out) {
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->events.len; i++) {
        const struct event_text *t = l->events.ptr[i];
        if (t)
            buf_printf(out, "{\"event\":\"%.*s\",\"data\":%.*s}\n", SLICE_FMT(t->name),
                       SLICE_FMT(t->json));
    }
    pthread_mutex_unlock(&l->lock);
}

/* With the lock held: the next event that is still there. */
static bool advance(struct event_log *l, struct event_cursor *c) {
    unref(c->text);
    c->text = NULL;
    c->at = 0;
    while (c->next < l->events.len && !c->text) {
        c->text = l->events.ptr[c->next++];
        if (c->text)
            c->text->refs++;
    }
    return c->text != NULL;
}

size_t event_log_read(struct event_log *l, struct event_cursor *c, char *to, size_t max) {
    size_t done = 0;
    pthread_mutex_lock(&l->lock);
    while (done < max) {
        if ((!c->text || c->at == c->text->bytes) && !advance(l, c))
            break;
        size_t n = c->text->bytes - c->at;
        n = n < max - done ? n : max - done;
        memcpy(to + done, c->text->frame + c->at, n);
        c->at += n;
        done += n;
    }
    pthread_mutex_unlock(&l->lock);
    return done;
}

void event_cursor_release(struct event_log *l, struct event_cursor *c) {
    pthread_mutex_lock(&l->lock);
    unref(c->text);
    *c = (struct event_cursor){0};
    pthread_mutex_unlock(&l->lock);
}
