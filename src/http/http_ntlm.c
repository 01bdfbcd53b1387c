/* NTLMv2 ([MS-NLMP] 3.3.2), as far as HTTP needs it: no session key, no signing. */
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/md4.h"
#include "base/utf8.h"
#include "http/http_auth.h"

#define NEGOTIATE_UNICODE (1U << 0)
#define NEGOTIATE_LM_KEY (1U << 7)
#define NEGOTIATE_NTLM (1U << 9)
#define ALWAYS_SIGN (1U << 15)
#define EXTENDED_SECURITY (1U << 19)
#define NEGOTIATE_TARGET (1U << 23)
#define NEGOTIATE_VERSION (1U << 25)
#define NEGOTIATE_128 (1U << 29)
#define NEGOTIATE_KEY_EXCH (1U << 30)
#define NEGOTIATE_56 (1U << 31)
#define AV_EOL 0
#define AV_TIMESTAMP 7
#define CHALLENGE_MIN_BYTES 48
#define DIGEST_BYTES 16

/* ---------------------------------------------------------------- pieces of messages */

static void put_le(struct buf *out, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        buf_append_char(out, (char)(v >> (8 * i)));
}

static uint32_t get_le(const char *p, int bytes) {
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)(unsigned char)p[i] << (8 * i);
    return v;
}

static void put_header(struct buf *out, uint32_t type) {
    buf_append(out, "NTLMSSP", 8);
    put_le(out, type, 4);
}

/* A field of the payload: length, room, offset. */
static void put_field(struct buf *out, size_t len, size_t *offset) {
    put_le(out, len, 2);
    put_le(out, len, 2);
    put_le(out, *offset, 4);
    *offset += len;
}

static uint32_t rune_upper(uint32_t r) {
    if ((r >= 'a' && r <= 'z') || (r >= 0xe0 && r <= 0xfe && r != 0xf7) ||
        (r >= 0x3b1 && r <= 0x3c9 && r != 0x3c2) || (r >= 0x430 && r <= 0x44f))
        return r - 32;
    return r;
}

static void put_utf16(struct buf *out, struct slice s, bool is_upper) {
    while (s.len) {
        uint32_t r;
        size_t n = utf8_decode(s, &r);
        s = slice_from(s.ptr + n, s.len - n);
        r = r == UTF8_INVALID ? 0xfffd : is_upper ? rune_upper(r) : r;
        if (r >= 0x10000) {
            put_le(out, 0xd800 + ((r - 0x10000) >> 10), 2);
            r = 0xdc00 + ((r - 0x10000) & 0x3ff);
        }
        put_le(out, r, 2);
    }
}

static char *encode(struct slice scheme, const struct buf *message) {
    char *out = xmalloc(scheme.len + 1 + (message->len + 2) / 3 * 4 + 1);
    memcpy(out, scheme.ptr, scheme.len);
    out[scheme.len] = ' ';
    EVP_EncodeBlock((unsigned char *)out + scheme.len + 1, (const unsigned char *)message->ptr,
                    (int)message->len);
    return out;
}

/* False when text is no base64 of some NTLM message. */
static bool decode(struct slice text, struct buf *out) {
    if (text.len % 4 != 0 || text.len > 64 * 1024)
        return false;
    buf_reserve(out, text.len);
    int n =
        EVP_DecodeBlock((unsigned char *)out->ptr, (const unsigned char *)text.ptr, (int)text.len);
    if (n < 0)
        return false;
    out->len = (size_t)n; /* padding counts, but messages say where their parts are */
    return true;
}

static void hmac_md5(const unsigned char *key, struct slice a, struct slice b,
                     unsigned char out[DIGEST_BYTES]) {
    struct buf data;
    unsigned len = DIGEST_BYTES;
    buf_init(&data, BUF_NO_CAP);
    buf_append_slice(&data, a);
    buf_append_slice(&data, b);
    CHECK(HMAC(EVP_md5(), key, DIGEST_BYTES, (const unsigned char *)data.ptr, data.len, out, &len));
    buf_release(&data);
}

/* ---------------------------------------------------------------- messages */

char *http_ntlm_negotiate(struct slice scheme) {
    struct buf m;
    size_t offset = 40;
    buf_init(&m, BUF_NO_CAP);
    put_header(&m, 1);
    put_le(&m,
           NEGOTIATE_UNICODE | NEGOTIATE_NTLM | ALWAYS_SIGN | EXTENDED_SECURITY | NEGOTIATE_TARGET |
               NEGOTIATE_128 | NEGOTIATE_56,
           4);
    put_field(&m, 0, &offset);         /* domain */
    put_field(&m, 0, &offset);         /* workstation */
    put_le(&m, 0x0f0000001db10106, 8); /* version 6.1.7601, revision 15 */
    char *out = encode(scheme, &m);
    buf_release(&m);
    return out;
}

struct challenge {
    uint32_t flags;
    char nonce[8];
    struct slice target_info; /* ptr NULL = absent */
    uint64_t timestamp;       /* 0 = absent */
};

static bool parse_challenge(struct slice m, struct challenge *c) {
    *c = (struct challenge){0};
    if (m.len < CHALLENGE_MIN_BYTES || memcmp(m.ptr, "NTLMSSP", 8) != 0 ||
        get_le(m.ptr + 8, 4) != 2)
        return false;
    c->flags = get_le(m.ptr + 20, 4);
    memcpy(c->nonce, m.ptr + 24, 8);
    size_t len = get_le(m.ptr + 40, 2), at = get_le(m.ptr + 44, 4);
    if (len == 0)
        return true;
    if (at > m.len || len > m.len - at)
        return false;
    c->target_info = slice_from(m.ptr + at, len);
    struct slice rest = c->target_info;
    while (rest.len >= 4 && get_le(rest.ptr, 2) != AV_EOL) {
        uint32_t id = get_le(rest.ptr, 2), bytes = get_le(rest.ptr + 2, 2);
        if (bytes > rest.len - 4)
            return false;
        if (id == AV_TIMESTAMP && bytes == 8)
            c->timestamp = (uint64_t)get_le(rest.ptr + 4, 4) | (uint64_t)get_le(rest.ptr + 8, 4)
                                                                   << 32;
        rest = slice_from(rest.ptr + 4 + bytes, rest.len - 4 - bytes);
    }
    return rest.len >= 2;
}

/* The key of all responses: of password, user and domain. */
static void response_key(struct slice user, struct slice domain, struct slice password,
                         unsigned char out[DIGEST_BYTES]) {
    unsigned char hash[DIGEST_BYTES];
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    put_utf16(&text, password, false);
    struct md4 md4;
    md4_init(&md4);
    md4_update(&md4, text.ptr, text.len);
    md4_sum(&md4, hash);
    buf_reset(&text);
    put_utf16(&text, user, true);
    put_utf16(&text, domain, false);
    hmac_md5(hash, buf_slice(&text), SLICE(""), out);
    buf_release(&text);
}

static void nt_response(struct buf *out, const unsigned char key[DIGEST_BYTES],
                        const struct challenge *c, struct slice nonce) {
    unsigned char proof[DIGEST_BYTES];
    struct buf blob;
    uint64_t now = (uint64_t)clock_wall_ns() / 100 + UINT64_C(116444736000000000);
    buf_init(&blob, BUF_NO_CAP);
    put_le(&blob, 0x0101, 8);
    put_le(&blob, c->timestamp ? c->timestamp : now, 8);
    buf_append_slice(&blob, nonce);
    put_le(&blob, 0, 4);
    buf_append_slice(&blob, c->target_info);
    put_le(&blob, 0, 4);
    hmac_md5(key, slice_from(c->nonce, 8), buf_slice(&blob), proof);
    buf_append(out, proof, sizeof proof);
    buf_append_slice(out, buf_slice(&blob));
    buf_release(&blob);
}

static void lm_response(struct buf *out, const unsigned char key[DIGEST_BYTES],
                        const struct challenge *c, struct slice nonce) {
    unsigned char proof[DIGEST_BYTES];
    if (c->target_info.ptr)
        return;
    hmac_md5(key, slice_from(c->nonce, 8), nonce, proof);
    buf_append(out, proof, sizeof proof);
    buf_append_slice(out, nonce);
}

static void put_authenticate(struct buf *m, const struct challenge *c, struct slice user,
                             struct slice domain, struct slice password) {
    unsigned char key[DIGEST_BYTES];
    char random[8];
    struct buf lm, nt, names[2];
    size_t offset = 64;
    CHECK(RAND_bytes((unsigned char *)random, sizeof random) == 1);
    struct slice nonce = slice_from(random, sizeof random);
    buf_init(&lm, BUF_NO_CAP);
    buf_init(&nt, BUF_NO_CAP);
    buf_init(&names[0], BUF_NO_CAP);
    buf_init(&names[1], BUF_NO_CAP);
    response_key(user, domain, password, key);
    lm_response(&lm, key, c, nonce);
    nt_response(&nt, key, c, nonce);
    put_utf16(&names[0], domain, false);
    put_utf16(&names[1], user, false);
    put_header(m, 3);
    put_field(m, lm.len, &offset);
    put_field(m, nt.len, &offset);
    put_field(m, names[0].len, &offset);
    put_field(m, names[1].len, &offset);
    put_field(m, 0, &offset); /* workstation */
    put_le(m, 0, 8);          /* session key */
    put_le(m, c->flags & ~NEGOTIATE_VERSION, 4);
    struct buf *parts[] = {&lm, &nt, &names[0], &names[1]};
    for (size_t i = 0; i < countof(parts); i++) {
        buf_append_slice(m, buf_slice(parts[i]));
        buf_release(parts[i]);
    }
}

char *http_ntlm_authenticate(struct slice scheme, struct slice challenge, struct slice user,
                             struct slice password) {
    struct buf message, answer;
    struct challenge c;
    char *out = NULL;
    buf_init(&message, BUF_NO_CAP);
    buf_init(&answer, BUF_NO_CAP);
    if (!decode(challenge, &message) || !parse_challenge(buf_slice(&message), &c) ||
        !(c.flags & NEGOTIATE_UNICODE) || c.flags & (NEGOTIATE_LM_KEY | NEGOTIATE_KEY_EXCH) ||
        (!user.len && !password.len))
        goto out;
    struct slice name = user;
    struct slice domain = slice_cut(&name, '\\');
    if (!name.ptr) {
        name = user;
        domain = SLICE("");
    }
    put_authenticate(&answer, &c, name, domain, password);
    out = encode(scheme, &answer);
out:
    buf_release(&message);
    buf_release(&answer);
    return out;
}
