#include "http/h2_head.h"

#include "base/check.h"
#include "base/go_text.h"
#include "http/http_client.h"

#define FIRST_BYTES 512

void h2_head_init(struct h2_head *h) {
    *h = (struct h2_head){0};
    buf_init(&h->text, HTTP_MAX_HEADER_BYTES);
    h1_head_init(&h->notes, false);
}

void h2_head_release(struct h2_head *h) {
    buf_release(&h->text);
}

void h2_head_reset(struct h2_head *h) {
    struct buf text = h->text;
    buf_reset(&text);
    *h = (struct h2_head){.text = text};
    h1_head_init(&h->notes, false);
}

static int refuse(struct error *cause, const char *words, struct slice name) {
    struct buf quoted;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, name);
    error_set(cause, KE_FAILED, "%s %s", words, buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_FAILED;
}

static int too_large(struct error *cause) {
    return error_set(cause, KE_FAILED, "http2: response header list larger than advertised limit");
}

/* ---------------------------------------------------------------- pseudo-headers */

static bool is_request_pseudo(struct slice name) {
    return slice_eq(name, SLICE(":method")) || slice_eq(name, SLICE(":path")) ||
           slice_eq(name, SLICE(":scheme")) || slice_eq(name, SLICE(":authority")) ||
           slice_eq(name, SLICE(":protocol"));
}

/* Go takes a status for any number; three digits are all that a server sends. */
static int add_status(struct h2_head *h, struct slice value, struct error *cause) {
    uint64_t status;
    if (h->has_status)
        return refuse(cause, "duplicate pseudo-header", SLICE(":status"));
    if (value.len == 0)
        return error_set(cause, KE_FAILED,
                         "malformed response from server: missing status pseudo header");
    if (!slice_to_u64(value, &status) || value.len > 3)
        return error_set(cause, KE_FAILED,
                         "malformed response from server: malformed non-numeric status pseudo "
                         "header");
    h->has_status = true;
    h->notes.status = (int)status;
    h->notes.proto_major = 2;
    const char *words = http_status_text((int)status);
    buf_reserve(&h->text, FIRST_BYTES);
    buf_append_str(&h->text, "HTTP/2.0 ");
    h->notes.status_text =
        (struct h1_view){(uint32_t)h->text.len, (uint32_t)(value.len + 1 + strlen(words))};
    buf_append_slice(&h->text, value);
    buf_append_char(&h->text, ' ');
    buf_append_str(&h->text, words);
    buf_append(&h->text, "\r\n", 2);
    return 0;
}

static int add_pseudo(struct h2_head *h, struct slice name, struct slice value,
                      struct error *cause) {
    if (h->has_regular)
        return error_set(cause, KE_FAILED, "pseudo header field after regular");
    if (slice_eq(name, SLICE(":status")))
        return add_status(h, value, cause);
    if (is_request_pseudo(name))
        return error_set(cause, KE_FAILED, "mix of request and response pseudo headers");
    return refuse(cause, "invalid pseudo-header", name);
}

/* ---------------------------------------------------------------- fields */

static bool is_wire_name(struct slice name) {
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z')
            return false;
    }
    return name.len > 0 && http_all_of(name, HTTP_TOKEN);
}

/* Names come in lower case. at is where the value stands in the text. */
static void note_field(struct h2_head *h, struct slice name, struct slice value, uint32_t at) {
    struct h1_view view = {at, (uint32_t)value.len};
    uint64_t n;
    switch (name.len) {
    case 8:
        if (h->notes.location.at == 0 && memcmp(name.ptr, "location", 8) == 0)
            h->notes.location = view;
        break;
    case 10:
        if (memcmp(name.ptr, "set-cookie", 10) == 0)
            h->notes.has_set_cookie = true;
        break;
    case 14:
        if (memcmp(name.ptr, "content-length", 14) != 0)
            break;
        /* Of several, and of one that is no number, Go takes none. */
        h->notes.content_length = -1;
        if (!h->has_length && slice_to_u64(value, &n) && n <= INT64_MAX)
            h->notes.content_length = (int64_t)n;
        h->has_length = true;
        break;
    case 16:
        if (!h->notes.has_content_encoding && memcmp(name.ptr, "content-encoding", 16) == 0) {
            h->notes.has_content_encoding = true;
            h->notes.content_encoding = view;
        }
        break;
    default:
        break;
    }
}

int h2_head_add(struct h2_head *h, struct slice name, struct slice value, struct error *cause) {
    if (unlikely(!http_all_of(value, HTTP_VALUE)))
        return refuse(cause, "invalid header field value for", name);
    if (name.len && name.ptr[0] == ':')
        return add_pseudo(h, name, value, cause);
    h->has_regular = true;
    if (unlikely(!is_wire_name(name)))
        return refuse(cause, "invalid header field name", name);
    if (unlikely(!h->has_status))
        return 0; /* h2_head_finish says so */
    if (unlikely(buf_reserve(&h->text, name.len + value.len + 6)))
        return too_large(cause);
    value = slice_trim(value);
    char *to = h->text.ptr + h->text.len;
    memcpy(to, name.ptr, name.len);
    memcpy(to + name.len, ": ", 2);
    memcpy(to + name.len + 2, value.ptr, value.len);
    memcpy(to + name.len + 2 + value.len, "\r\n", 2);
    note_field(h, name, value, (uint32_t)(h->text.len + name.len + 2));
    h->text.len += name.len + value.len + 4;
    return 0;
}

int h2_head_finish(struct h2_head *h, struct error *cause) {
    if (!h->has_status)
        return error_set(cause, KE_FAILED,
                         "malformed response from server: missing status pseudo header");
    return buf_append(&h->text, "\r\n", 2) ? too_large(cause) : 0;
}
