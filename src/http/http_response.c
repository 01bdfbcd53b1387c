#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/http_error.h"
#include "http/http_internal.h"

/* A response block: the public struct, what must be freed with it, then the bytes it points to.
 * Blocks of the usual sizes are kept for the next request of the thread. */
struct block {
    struct http_response r;
    uint32_t size_class;
    char *body_heap; /* a body that did not fit the block, or was decoded */
    char *error_text, *log_text;
    struct tls_ocsp *ocsp;
    struct block *next_free;
    char room[];
};

/* Size class i holds blocks of 1024 << i bytes. */
#define N_CLASSES 7
#define CLASS_BYTES(i) ((size_t)1024 << (i))
#define NO_CLASS UINT32_MAX
#define KEEP_PER_CLASS 32

struct thread_state {
    struct http_scratch scratch;
    struct block *free_blocks[N_CLASSES];
    uint32_t n_free[N_CLASSES];
};

static _Thread_local struct thread_state *state;
static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void free_state(void *arg) {
    struct thread_state *s = arg;
    for (size_t i = 0; i < N_CLASSES; i++) {
        while (s->free_blocks[i]) {
            struct block *b = s->free_blocks[i];
            s->free_blocks[i] = b->next_free;
            free(b);
        }
    }
    free(s->scratch.recv);
    buf_release(&s->scratch.out);
    free(s);
    state = NULL;
}

static void make_key(void) {
    CHECK(pthread_key_create(&state_key, free_state) == 0);
}

static struct thread_state *make_state(void) {
    pthread_once(&state_once, make_key);
    state = xcalloc(1, sizeof *state);
    state->scratch.recv = xmalloc(HTTP_RECV_BYTES);
    buf_init(&state->scratch.out, BUF_NO_CAP);
    CHECK(pthread_setspecific(state_key, state) == 0);
    return state;
}

static inline struct thread_state *this_thread(void) {
    return likely(state != NULL) ? state : make_state();
}

struct http_scratch *http_scratch(void) {
    return &this_thread()->scratch;
}

static inline uint32_t class_of(size_t bytes) {
    if (bytes <= CLASS_BYTES(0))
        return 0;
    uint32_t c = (uint32_t)(64 - 10 - __builtin_clzll((bytes - 1) | 1));
    return c < N_CLASSES ? c : NO_CLASS;
}

struct http_response *http_response_alloc(size_t extra_bytes, char **out_room) {
    struct thread_state *s = this_thread();
    size_t bytes = sizeof(struct block) + extra_bytes;
    uint32_t c = class_of(bytes);
    struct block *b = c == NO_CLASS ? NULL : s->free_blocks[c];
    if (likely(b != NULL)) {
        s->free_blocks[c] = b->next_free;
        s->n_free[c]--;
    } else {
        b = xmalloc(c == NO_CLASS ? bytes : CLASS_BYTES(c));
    }
    *b = (struct block){.size_class = c};
    b->r.refs = 1;
    b->r.error.text = b->r.error.log_text = "";
    *out_room = b->room;
    return &b->r;
}

struct http_response *http_response_ref(struct http_response *r) {
    r->refs++;
    return r;
}

void http_response_unref(struct http_response *r) {
    if (!r || --r->refs)
        return;
    struct block *b = (struct block *)r;
    free(b->body_heap);
    free(b->error_text);
    free(b->log_text);
    free(b->ocsp);
    struct thread_state *s = this_thread();
    uint32_t c = b->size_class;
    if (c != NO_CLASS && s->n_free[c] < KEEP_PER_CLASS) {
        b->next_free = s->free_blocks[c];
        s->free_blocks[c] = b;
        s->n_free[c]++;
    } else {
        free(b);
    }
}

void http_response_own_body(struct http_response *r, char *body, size_t bytes) {
    struct block *b = (struct block *)r;
    free(b->body_heap);
    b->body_heap = body;
    r->body = slice_from(body, bytes);
}

void http_response_fail(struct http_response *r, const struct http_hop *hop,
                        const struct error *err, bool is_transport) {
    struct block *b = (struct block *)r;
    free(b->error_text);
    free(b->log_text);
    const char *words = http_error_words(err);
    b->error_text = http_error_short(err);
    b->log_text =
        is_transport ? http_error_round_trip(hop->req->method, hop->url, words) : xstrdup(words);
    r->error = (struct http_failure){err->code, b->error_text, b->log_text};
    r->error_code = error_k6_code(err->code);
    r->status = 0;
    r->proto_major = r->proto_minor = 0;
    r->head = r->status_text = slice_from("", 0);
    r->has_set_cookie = r->is_chunked = r->is_closing = false;
    r->tls = NULL;
    r->ocsp = NULL;
}

void http_response_set_ocsp(struct http_response *r, const struct tls_ocsp *ocsp) {
    static const struct tls_ocsp unknown = {.status = "unknown", .revocation_reason = ""};
    struct block *b = (struct block *)r;
    r->ocsp = &unknown;
    if (ocsp) {
        b->ocsp = xmalloc(sizeof *ocsp);
        *b->ocsp = *ocsp;
        r->ocsp = b->ocsp;
    }
}

void http_response_wrap_short_text(struct http_response *r) {
    struct block *b = (struct block *)r;
    free(b->error_text);
    b->error_text = xasprintf("error decompressing response body (%s)", b->log_text);
    r->error.text = b->error_text;
}

bool http_response_next_header(const struct http_response *r, size_t *pos,
                               struct http_header *out) {
    if (*pos == 0) {
        const char *lf = r->head.len ? memchr(r->head.ptr, '\n', r->head.len) : NULL;
        if (!lf)
            return false;
        *pos = (size_t)(lf - r->head.ptr) + 1;
    }
    while (http_header_next(r->head, pos, out)) {
        switch (out->name.len) {
        case 7:
            if (slice_ieq(out->name, SLICE("trailer")))
                continue;
            return true;
        case 10:
            if (r->is_closing && slice_ieq(out->name, SLICE("connection")))
                continue;
            return true;
        case 14:
            if (r->is_chunked && slice_ieq(out->name, SLICE("content-length")))
                continue;
            return true;
        case 17:
            if (r->proto_major == 1 && r->proto_minor >= 1 &&
                slice_ieq(out->name, SLICE("transfer-encoding")))
                continue;
            return true;
        default:
            return true;
        }
    }
    return false;
}
