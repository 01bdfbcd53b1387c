/* The inside of k6/http, shared by the http_*.c files of this directory.
 *
 * One request: http_call_init reads the script's arguments into an http_call (http_args.c),
 * http_client_do runs it, http_record (http_metrics.c) turns every hop into samples,
 * http_response_new (http_response.c) wraps the result. The synchronous functions keep the call on
 * the VU's stack; batch (http_batch.c) and asyncRequest (http_async.c) keep it on the heap and run
 * it on a fiber of its own. */
#pragma once

#include "http/cookie.h"
#include "http/http_client.h"
#include "http/multipart.h"
#include "js/vu_internal.h"

/* Property names that the bindings look up, interned once per runtime: X(field, "text"). */
#define HTTP_ATOMS(X)                        \
    X(headers, "headers")                    \
    X(tags, "tags")                          \
    X(timeout, "timeout")                    \
    X(redirects, "redirects")                \
    X(response_type, "responseType")         \
    X(response_callback, "responseCallback") \
    X(auth, "auth")                          \
    X(jar, "jar")                            \
    X(cookies, "cookies")                    \
    X(compression, "compression")            \
    X(h2c, "h2c")                            \
    X(throw_, "throw")                       \
    X(url, "url")                            \
    X(name, "name")                          \
    X(method, "method")                      \
    X(body, "body")                          \
    X(params, "params")

/* Fields of a Response in the order k6 lists them: X(field, "text"). */
#define HTTP_RESPONSE_FIELDS(X)             \
    X(REMOTE_IP, "remote_ip")               \
    X(REMOTE_PORT, "remote_port")           \
    X(URL, "url")                           \
    X(STATUS, "status")                     \
    X(STATUS_TEXT, "status_text")           \
    X(PROTO, "proto")                       \
    X(HEADERS, "headers")                   \
    X(COOKIES, "cookies")                   \
    X(BODY, "body")                         \
    X(TIMINGS, "timings")                   \
    X(TLS_VERSION, "tls_version")           \
    X(TLS_CIPHER_SUITE, "tls_cipher_suite") \
    X(OCSP, "ocsp")                         \
    X(ERROR, "error")                       \
    X(ERROR_CODE, "error_code")             \
    X(REQUEST, "request")                   \
    X(JSON, "json")                         \
    X(HTML, "html")                         \
    X(SUBMIT_FORM, "submitForm")            \
    X(CLICK_LINK, "clickLink")

enum http_response_field {
#define X(field, text) HTTP_FIELD_##field,
    HTTP_RESPONSE_FIELDS(X)
#undef X
        HTTP_FIELD_COUNT
};

/* What decides whether a status is expected (http.expectedStatuses). */
struct http_status_range {
    int min, max;
};
struct http_expected {
    uint32_t refs;
    size_t len;
    struct http_status_range ranges[];
};

/* Per VU, made when the module is imported. */
struct http_module {
    struct vu *vu;
#define X(field, text) JSAtom atom_##field;
    HTTP_ATOMS(X)
#undef X
    JSAtom field_atoms[HTTP_FIELD_COUNT];
    JSValue response_proto;
    JSValue response_methods[4];    /* json, html, submitForm, clickLink: own properties of every
                                       response */
    struct http_expected *expected; /* setResponseCallback; NULL = default 200..399 */
    bool callback_is_null;          /* setResponseCallback(null): no verdict at all */
    struct list in_flight;          /* asyncRequests under way */
};

/* A parsed URL with what was resolved for it, shared by the requests of a worker
 * (http_url_cache.c). */
struct http_url_entry {
    uint32_t refs;
    uint64_t hash;
    struct url url;
    char *source; /* as the script wrote it */
    size_t source_len;
    char *tag_text; /* as shown in tags: credentials masked */
    size_t tag_len;
    /* The latest resolutions of its series, so that a repeated request finds them by comparing a
     * few words. */
    struct http_series_memo {
        const struct tagset *base;
        struct shard *shard;
        const char *method;
        size_t method_len;
        const char *tls_version; /* static string or NULL */
        struct http_series *series;
        int16_t status;
        uint8_t proto, verdict;
    } memo[2];
    uint8_t next_memo;
};

/* Parses text, or finds it parsed. NULL with *err (KE_URL). Release with http_url_entry_unref. */
struct http_url_entry *http_url_entry_get(struct slice text, struct error *err);
void http_url_entry_unref(struct http_url_entry *e);

#define HTTP_CALL_INLINE 12

/* A multipart body: its pieces, and copies of those that do not live by themselves. */
struct http_form {
    struct multipart multipart;
    VEC(char *) copies;
};
void http_form_free(struct http_form *f);

struct http_call {
    struct vu *vu;
    struct http_module *mod;
    struct http_request req;
    struct http_url_entry *url;
    const struct tagset *tags; /* base for the samples: VU tags, group, params.tags */
    char *name;                /* http.url template or tags.name; NULL = the hop's own URL */
    struct http_expected *expected;
    bool has_verdict; /* false: responseCallback null */
    bool throws;
    const struct tagset *metadata; /* of the samples, as it was when the request was made */
    unsigned n_hops;               /* reported so far */
    char *first_head;              /* what the first of several hops sent; NULL = there is one */
    struct http_header headers_inline[HTTP_CALL_INLINE];
    struct http_header *headers_heap;
    /* C strings and heap blocks to release. */
    const char *texts_inline[2 * HTTP_CALL_INLINE + 4];
    const char **texts;
    size_t n_texts, cap_texts;
    JSValue body;          /* the script's argument when it is a string, for response.request */
    char *method_heap;     /* http.request with a method of its own */
    const char *body_text; /* C string of the context */
    char *body_heap, *content_type_heap;
    struct http_form *form;   /* a body in pieces */
    struct slice body_shared; /* a body that lives as long as the script */
    struct http_cookie_param *cookies;
    struct http_response *response;
};

/* Reads (method, url, body, params). 0; KE_JS with an exception pending in the context; otherwise a
 * code with *err for the script's response (bad URL, bad body, bad params: k6 warns and returns a
 * response with status 0). In each case the call must be released. */
int http_call_init(struct http_call *call, struct http_module *mod, struct slice method,
                   JSValueConst url, JSValueConst body, JSValueConst params, struct error *err);
/* The same with a method given by the script (undefined = GET). */
int http_call_init_method(struct http_call *call, struct http_module *mod, JSValueConst method,
                          JSValueConst url, JSValueConst body, JSValueConst params,
                          struct error *err);
/* The script's parameters have a header of that name. */
bool http_request_has_header(const struct http_request *req, struct slice name);
/* Adds one after the script's, before it runs; both slices must outlive the call. */
void http_call_add_header(struct http_call *call, struct slice name, struct slice value);
/* Runs it. Yields. 0, a network error (call->response is there, too), KE_CANCELED. */
int http_call_run(struct http_call *call);
void http_call_release(struct http_call *call);
/* After http_call_run or a failed init: the JS result (Response, or exception when it throws); logs
 * k6's warning. */
JSValue http_call_finish(struct http_call *call, int rc, const struct error *err);

/* Body argument: fills req.body and the Content-Type to add when the script gave none. */
int http_body_read(struct http_call *call, JSValueConst body, const char **out_content_type,
                   struct error *err);

/* Samples of one hop: on_hop of the client. */
void http_record(void *call, const struct http_request *req, const struct url *url,
                 struct http_response *hop);

/* A response's headers as scripts see them: canonical names, values of repeated ones joined. */
JSValue http_headers_object(JSContext *ctx, const struct http_response *r);
/* Adds one header to such an object. */
void http_header_add(JSContext *ctx, JSValueConst headers, const struct http_header *h);

/* Response class. Takes the reference to r, and from the call what response.request shows. */
JSValue http_response_new(struct http_module *mod, struct http_response *r, struct http_call *call);
/* A response for a request that never went out. */
JSValue http_response_failed(struct http_module *mod, const struct error *err,
                             struct http_call *call);
int http_response_register(struct http_module *mod);
/* For methods of a response: its page, parsed once, and its URL as the script sees it, for the
 * caller to free. False with an exception pending: no Response, no body, not to be parsed. */
struct html_doc;
bool http_response_page(JSContext *ctx, JSValueConst v, struct html_doc **out_page,
                        JSValue *out_url);
/* html(), submitForm() and clickLink() (http_page.c). */
JSValue http_js_html(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue http_js_submit_form(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
JSValue http_js_click_link(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

/* CookieJar class (http_cookies.c): registers it and gives its constructor. */
JSValue http_cookie_jar_class(JSContext *ctx);
JSValue http_js_cookie_jar(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* The jar of a CookieJar object, NULL when it is none. */
struct cookie_jar *http_cookie_jar_from(JSValueConst v);
/* The VU's own jar, made on first use. */
struct cookie_jar *http_vu_jar(struct vu *vu);

/* expectedStatuses (http_expected.c). */
int http_expected_register(JSContext *ctx);
JSValue http_js_expected_statuses(JSContext *ctx, JSValueConst this_val, int argc,
                                  JSValueConst *argv);
struct http_expected *http_expected_from(JSValueConst v);
void http_expected_unref(struct http_expected *e);
bool http_status_is_expected(const struct http_expected *e, int status);

/* batch (http_batch.c) and asyncRequest (http_async.c): requests that run beside the VU's
 * JavaScript, each on a small fiber of its own that runs no JavaScript. */
#define HTTP_REQUEST_STACK_BYTES (128 * 1024)
JSValue http_js_batch(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* Stops what is under way (the iteration was interrupted); their completions still come. */
void http_async_cancel_all(struct http_module *mod);
JSValue http_js_async_request(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

/* http.file. */
int http_file_register(JSContext *ctx);
JSValue http_js_file(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);
/* The parts of a FileData object (heap strings, a reference to data); false when v is none.
 * out_data NULL only asks. */
bool http_file_from(JSContext *ctx, JSValueConst v, JSValue *out_data, char **out_name,
                    char **out_type);

/* Makes the module's state when no script imported k6/http. 0, or -1 with an exception pending. */
int http_module_need(struct vu *vu);

static inline struct http_module *http_module_of(JSContext *ctx) {
    return vu_from_ctx(ctx)->module_state[JS_SLOT_HTTP];
}
