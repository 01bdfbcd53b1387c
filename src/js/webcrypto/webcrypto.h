/* WebCrypto as k6 has it: the global `crypto` with its SubtleCrypto, made when a script first looks
 * at it. Inside, an operation has three steps: a script's arguments become a web_job of plain data
 * (subtle*.c), the job runs without JavaScript (aes.c, ec.c, rsa.c, secret.c; slow ones on a thread
 * of libuv's pool), and its result settles the promise in the VU's event loop (job.c). */
#pragma once

#include <openssl/evp.h>
#include <uv.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "js/crypto/digest.h"
#include "js/event_loop.h"
#include "js/js_util.h"

enum web_alg {
    WEB_UNKNOWN,
    WEB_SHA1,
    WEB_SHA256,
    WEB_SHA384,
    WEB_SHA512,
    WEB_AES_CBC,
    WEB_AES_CTR,
    WEB_AES_GCM,
    WEB_AES_KW,
    WEB_HMAC,
    WEB_ECDSA,
    WEB_ECDH,
    WEB_RSA_SSA,
    WEB_RSA_PSS,
    WEB_RSA_OAEP,
    WEB_PBKDF2,
};

enum web_op {
    WEB_ENCRYPT,
    WEB_DECRYPT,
    WEB_SIGN,
    WEB_VERIFY,
    WEB_DIGEST,
    WEB_GENERATE_KEY,
    WEB_DERIVE_KEY,
    WEB_DERIVE_BITS,
    WEB_IMPORT_KEY,
    WEB_EXPORT_KEY,
    WEB_GET_KEY_LENGTH,
};

enum web_format { WEB_RAW, WEB_PKCS8, WEB_SPKI, WEB_JWK, WEB_NO_FORMAT };
enum web_key_type { WEB_SECRET, WEB_PRIVATE, WEB_PUBLIC, WEB_NO_TYPE };

/* ---- errors ---- */

struct web_error {
    bool is_set;
    const char *name; /* NULL: a Go error without name and message */
    char text[400];
};
/* Fills *e and returns KE_INVALID. */
int web_fail(struct web_error *e, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
JSValue web_error_value(JSContext *ctx, const struct web_error *e);

/* ---- usages ---- */

struct web_usages {
    char **items; /* as the script wrote them */
    size_t len;
};
bool web_usages_has(const struct web_usages *u, const char *usage);
void web_usages_add(struct web_usages *u, const char *usage);
/* Those of a that are in the NULL-ended list, each once, in a's order. */
struct web_usages web_usages_among(const struct web_usages *a, const char *const *list);
/* The first that is not in the list, NULL when all are. */
const char *web_usages_stray(const struct web_usages *u, const char *const *list);
struct web_usages web_usages_copy(const struct web_usages *u);
void web_usages_release(struct web_usages *u);

/* ---- keys ---- */

struct web_key {
    uint32_t refs; /* counted on the VU's thread only */
    enum web_alg alg, hash;
    enum web_key_type type;
    bool is_extractable;
    bool is_foreign; /* an object that a script made: it has no key in it */
    struct web_usages usages;
    int64_t length_bits;
    char *curve;
    struct buf secret;
    EVP_PKEY *pkey;
};
struct web_key *web_key_new(enum web_alg alg, enum web_key_type type);
struct web_key *web_key_ref(struct web_key *k);
void web_key_unref(struct web_key *k);
/* The CryptoKey object; takes the reference. */
JSValue web_key_object(JSContext *ctx, struct web_key *k);
/* The key in an object (a new reference), a foreign one for other objects; NULL for what is no
 * object. */
struct web_key *web_key_of(JSContext *ctx, JSValueConst v);
/* Is it really a CryptoKey? */
bool web_is_key(JSValueConst v);

/* ---- jobs ---- */

enum {
    JWK_KTY,
    JWK_K,
    JWK_CRV,
    JWK_X,
    JWK_Y,
    JWK_D,
    JWK_N,
    JWK_E,
    JWK_P,
    JWK_Q,
    JWK_DP,
    JWK_DQ,
    JWK_QI,
    JWK_FIELDS
};

struct web_jwk {
    char *fields[JWK_FIELDS]; /* "" when absent */
    /* What JSON is there where a string should be, "number" …, or NULL; kind: no object at all. */
    const char *wrong[JWK_FIELDS], *kind;
};

/* Whether one of the fields of a Go struct (indices in alphabetical order of the names, -1 at the
 * end) is no string: fills words as Go's encoding/json says it. */
bool web_jwk_is_wrong(const struct web_jwk *jwk, const char *go_struct, const int *fields,
                      char words[120]);

/* What an algorithm object says. */
struct web_params {
    enum web_alg alg, hash;
    struct buf iv; /* or counter */
    struct buf additional, label, salt, exponent;
    bool has_length;
    int64_t length, tag_length, salt_length, iterations;
    char *curve;
    struct web_key *public_key;
};

struct web_job {
    struct js_completion completion;
    uv_work_t work;
    struct vu *vu;
    JSValue promise, resolve, reject;
    enum web_op op;
    struct web_params params, derived; /* derived: the key type of deriveKey */
    struct web_key *key;
    struct buf data, signature;
    enum web_format format;
    char *format_name;
    bool is_extractable;
    struct web_usages usages;
    struct web_jwk jwk;
    int64_t length;

    bool is_slow; /* worth another thread */
    void (*run)(struct web_job *job);
    /* Results. */
    struct web_error error;
    struct buf out;
    bool is_json;            /* out is a JSON text */
    struct json_writer json; /* that writes it */
    bool verdict;
    struct web_key *result, *result_public;
};

struct web_job *web_job_new(JSContext *ctx, enum web_op op);
/* Ends the parsing step. Runs the job, or rejects at once when job->error is set; with an exception
 * pending, throws. Gives the promise; the job is the loop's from here on. */
JSValue web_job_start(JSContext *ctx, struct web_job *job);
void web_params_release(struct web_params *p);

/* ---- reading arguments (algorithm.c): 0, KE_INVALID with *e set, KE_JS with an exception ---- */

const char *web_alg_name(enum web_alg alg);
bool web_is_aes(enum web_alg alg);
bool web_is_rsa(enum web_alg alg);
bool web_is_hash(enum web_alg alg);
enum digest_alg web_digest(enum web_alg hash);
int web_normalize(JSContext *ctx, JSValueConst v, enum web_op op, enum web_alg *out,
                  struct web_error *e);
/* v[name]; KE_INVALID and TypeError "field <path> is null or undefined". */
int web_field(JSContext *ctx, JSValueConst v, const char *name, const char *path, JSValue *out,
              struct web_error *e);
int web_int_field(JSContext *ctx, JSValueConst v, const char *name, int64_t *out, bool *out_has);
int web_text_field(JSContext *ctx, JSValueConst v, const char *name, char **out);
/* Bytes of an option (iv, salt …): nothing when it is absent or no bytes. */
int web_bytes_field(JSContext *ctx, JSValueConst v, const char *name, struct buf *out);
int web_hash_field(JSContext *ctx, JSValueConst params, enum web_op op, enum web_alg *out,
                   struct web_error *e);
/* The hash of RSA keys, which must be named exactly. */
int web_rsa_hash_field(JSContext *ctx, JSValueConst params, enum web_alg *out, struct web_error *e);
/* Data of a call: an ArrayBuffer, or the whole buffer below a typed array (as in k6). */
int web_data(JSContext *ctx, JSValueConst v, struct buf *out, struct web_error *e);
int web_usages_arg(JSContext *ctx, JSValueConst v, int parameter, struct web_usages *out);
int web_jwk_arg(JSContext *ctx, JSValueConst v, struct web_jwk *out);
void web_jwk_release(struct web_jwk *jwk);

/* ---- the work: each sets job->error or a result ---- */

void web_run_digest(struct web_job *job);
void web_run_aes(struct web_job *job);
void web_run_hmac(struct web_job *job);
void web_run_pbkdf2_bits(struct web_job *job);
void web_run_pbkdf2_key(struct web_job *job);
void web_run_ecdsa(struct web_job *job);
void web_run_ecdh(struct web_job *job);
void web_run_rsa(struct web_job *job);
void web_run_generate(struct web_job *job);
void web_run_import(struct web_job *job);
void web_run_export(struct web_job *job);

void web_generate_secret(struct web_job *job);
void web_generate_ec(struct web_job *job);
void web_generate_rsa(struct web_job *job);
/* A key of bytes (AES, HMAC, PBKDF2). NULL with *e set. */
struct web_key *web_import_secret(const struct web_params *p, enum web_format format,
                                  const char *format_name, struct slice bytes, bool is_extractable,
                                  const struct web_usages *usages, struct web_error *e);
struct web_key *web_import_ec(struct web_job *job);
struct web_key *web_import_rsa(struct web_job *job);
void web_export_ec(struct web_job *job);
void web_export_rsa(struct web_job *job);
/* PKCS #8 or SPKI in DER, both ways. */
EVP_PKEY *web_pkey_from_der(struct slice der, bool is_private);
int web_pkey_to_der(const EVP_PKEY *key, bool is_private, struct buf *out);

/* ---- JWK (jwk.c) ---- */

/* Decodes a field; KE_INVALID with *e "<words>: illegal base64 data at input byte N". */
int web_jwk_decode(const struct web_jwk *jwk, int field, const char *words, struct buf *out,
                   struct web_error *e);
void web_jwk_begin(struct web_job *job);
void web_jwk_text(struct web_job *job, const char *name, const char *value);
/* Base64url of bytes, of a big number of the key (its fewest bytes unless min_bytes says more). */
void web_jwk_bytes(struct web_job *job, const char *name, struct slice bytes);
void web_jwk_number(struct web_job *job, const char *name, const char *param, size_t min_bytes);
void web_jwk_end(struct web_job *job);
/* The rest of a symmetric key's JWK. */
void web_jwk_symmetric(struct web_job *job);

/* The functions of crypto.subtle. */
#define WEB_SUBTLE_FUNCTIONS 12
extern const JSCFunctionListEntry web_subtle_functions[WEB_SUBTLE_FUNCTIONS];
/* An entry of a list: a function that scripts see but cannot replace. */
#define WEB_FUNCTION_MAGIC(name, length, cproto, member, f, magic) \
    {                                                              \
        name, JS_PROP_ENUMERABLE, JS_DEF_CFUNC, magic, .u = {      \
            .func = {length, cproto, {.member = f}}                \
        }                                                          \
    }
#define WEB_FUNCTION(name, length, f) \
    WEB_FUNCTION_MAGIC(name, length, JS_CFUNC_generic, generic, f, 0)
JSValue web_js_generate_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue web_js_derive_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue web_js_derive_bits(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue web_js_import_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue web_js_export_key(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
