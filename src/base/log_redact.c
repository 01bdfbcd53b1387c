#include "base/log_redact.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/vec.h"

static const char mask[] = "***SECRET_REDACTED***";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VEC(struct slice) secrets; /* in order of arrival, kept for the life of the process */
static atomic_bool is_on;

void log_redact_add(struct slice secret) {
    if (slice_trim(secret).len == 0)
        return;
    pthread_mutex_lock(&lock);
    bool is_known = false;
    for (size_t i = 0; i < secrets.len; i++)
        is_known |= slice_eq(secrets.ptr[i], secret);
    if (!is_known)
        vec_push(&secrets, slice_from(slice_dup(secret), secret.len));
    pthread_mutex_unlock(&lock);
    atomic_store(&is_on, true);
}

/* The first secret, in order of arrival, that stands at p. */
static const struct slice *secret_at(const char *p, size_t len) {
    for (size_t i = 0; i < secrets.len; i++) {
        const struct slice *s = &secrets.ptr[i];
        if (s->len <= len && s->ptr[0] == p[0] && memcmp(s->ptr, p, s->len) == 0)
            return s;
    }
    return NULL;
}

static void put(struct buf *out, struct slice s) {
    size_t done = 0;
    for (size_t i = 0; i < s.len;) {
        const struct slice *secret = secret_at(s.ptr + i, s.len - i);
        if (!secret) {
            i++;
            continue;
        }
        buf_append(out, s.ptr + done, i - done);
        buf_append_str(out, mask);
        i += secret->len;
        done = i;
    }
    buf_append(out, s.ptr + done, s.len - done);
}

bool log_redact(struct slice msg, const struct log_field *fields, size_t n_fields,
                struct log_redacted *out) {
    if (!atomic_load_explicit(&is_on, memory_order_acquire))
        return false;
    *out = (struct log_redacted){0};
    out->own_fields = xcalloc(n_fields + 1, sizeof *out->own_fields);
    out->fields = out->own_fields;
    buf_init(&out->text, BUF_NO_CAP);
    pthread_mutex_lock(&lock);
    put(&out->text, msg);
    size_t msg_len = out->text.len;
    for (size_t i = 0; i < n_fields; i++) {
        size_t start = out->text.len;
        put(&out->text, fields[i].value);
        out->own_fields[i].key = fields[i].key;
        out->own_fields[i].value.len = out->text.len - start;
    }
    pthread_mutex_unlock(&lock);
    const char *p = buf_cstr(&out->text);
    out->msg = slice_from(p, msg_len);
    p += msg_len;
    for (size_t i = 0; i < n_fields; i++) {
        out->own_fields[i].value.ptr = p;
        p += out->own_fields[i].value.len;
    }
    return true;
}

void log_redact_release(struct log_redacted *r) {
    buf_release(&r->text);
    free(r->own_fields);
}
