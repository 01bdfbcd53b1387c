#include "output/http_push.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"

#define TIMEOUT_NS (5 * NS_PER_S)

/* ---------------------------------------------------------------- the library */

/* Variadic as in curl's header: the argument's type is the caller's to get right. */
static struct {
    void *library;
    CURLcode (*global_init)(long flags);
    CURL *(*init)(void);
    void (*cleanup)(CURL *);
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    CURLcode (*perform)(CURL *);
    const char *(*strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free)(struct curl_slist *);
} curl;

static bool find(void *out_function, const char *name) {
    void *symbol = dlsym(curl.library, name);
    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load_curl(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl.4.dylib", "libcurl-gnutls.so.4"};
    for (size_t i = 0; i < countof(names) && !curl.library; i++)
        curl.library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!curl.library)
        return;
    if (!find(&curl.global_init, "curl_global_init") || !find(&curl.init, "curl_easy_init") ||
        !find(&curl.cleanup, "curl_easy_cleanup") || !find(&curl.setopt, "curl_easy_setopt") ||
        !find(&curl.getinfo, "curl_easy_getinfo") || !find(&curl.perform, "curl_easy_perform") ||
        !find(&curl.strerror, "curl_easy_strerror") ||
        !find(&curl.slist_append, "curl_slist_append") ||
        !find(&curl.slist_free, "curl_slist_free_all") ||
        curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        curl.library = NULL; /* not closed: its destructors are none of our business */
}

/* ---------------------------------------------------------------- life */

struct http_push {
    CURL *easy;
    struct curl_slist *headers;
    int64_t timeout_ns;
    char reason[CURL_ERROR_SIZE];
    struct http_push_answer *answer; /* of the request under way */
};

static void add_header(struct http_push *h, const char *line) {
    struct curl_slist *list = curl.slist_append(h->headers, line);
    CHECK(list);
    h->headers = list;
}

void http_push_header(struct http_push *h, const char *line) {
    add_header(h, line);
}

static size_t on_body(char *ptr, size_t size, size_t n, void *arg) {
    struct http_push *h = arg;
    size_t room = HTTP_PUSH_ANSWER_MAX - h->answer->body.len, len = size * n;
    buf_append(&h->answer->body, ptr, len < room ? len : room);
    return len;
}

static void take_header(struct slice line, struct slice name, char *out, size_t size) {
    struct slice value = line, key = slice_cut(&value, ':');
    if (!value.ptr || !slice_ieq(key, name))
        return;
    value = slice_trim(value);
    snprintf(out, size, "%.*s", SLICE_FMT(value));
}

static size_t on_header(char *ptr, size_t size, size_t n, void *arg) {
    struct http_push_answer *a = ((struct http_push *)arg)->answer;
    struct slice line = slice_from(ptr, size * n);
    take_header(line, SLICE("grpc-status"), a->grpc_status, sizeof a->grpc_status);
    take_header(line, SLICE("grpc-message"), a->grpc_message, sizeof a->grpc_message);
    return size * n;
}

static void set_tls(CURL *e, const struct http_push_config *c) {
    if (c->is_insecure) {
        curl.setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        curl.setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (c->tls_min)
        curl.setopt(e, CURLOPT_SSLVERSION,
                    (long)(c->tls_min == 13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    if (c->ca)
        curl.setopt(e, CURLOPT_CAINFO, c->ca);
    if (c->cert)
        curl.setopt(e, CURLOPT_SSLCERT, c->cert);
    if (c->key)
        curl.setopt(e, CURLOPT_SSLKEY, c->key);
}

static int set_auth(CURL *e, const struct http_push_config *c, struct error *err) {
    CURLcode rc = CURLE_OK;
    if (c->sigv4_region) {
        char *what = xasprintf("aws:amz:%s:%s", c->sigv4_region, c->sigv4_service);
        rc = curl.setopt(e, CURLOPT_AWS_SIGV4, what);
        free(what);
        curl.setopt(e, CURLOPT_USERNAME, c->sigv4_access_key);
        curl.setopt(e, CURLOPT_PASSWORD, c->sigv4_secret_key);
    } else if (c->username) {
        curl.setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl.setopt(e, CURLOPT_USERNAME, c->username);
        curl.setopt(e, CURLOPT_PASSWORD, c->password ? c->password : "");
    }
    return rc == CURLE_OK ? 0
                          : error_set(err, KE_CONFIG, "this libcurl cannot sign requests for AWS");
}

struct http_push *http_push_new(const struct http_push_config *c, struct error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_curl);
    if (!curl.library) {
        error_set(err, KE_NOT_FOUND,
                  "cannot load libcurl.so.4: install your system's libcurl (Debian: libcurl4)");
        return NULL;
    }
    struct http_push *h = xcalloc(1, sizeof *h);
    CURL *e = h->easy = curl.init();
    CHECK(e);
    h->timeout_ns = c->timeout_ns > 0 ? c->timeout_ns : TIMEOUT_NS;
    curl.setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl.setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.setopt(e, CURLOPT_PROXY, c->proxy ? c->proxy : "");
    curl.setopt(e, CURLOPT_TIMEOUT_MS, (long)(h->timeout_ns / NS_PER_MS));
    curl.setopt(e, CURLOPT_ERRORBUFFER, h->reason);
    curl.setopt(e, CURLOPT_USERAGENT, c->user_agent);
    curl.setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl.setopt(e, CURLOPT_WRITEDATA, h);
    curl.setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl.setopt(e, CURLOPT_HEADERDATA, h);
    if (c->is_http2) {
        curl.setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
        /* libcurl 7.88 fails whenever it uses such a connection a second time. */
        curl.setopt(e, CURLOPT_FORBID_REUSE, 1L);
    }
    set_tls(e, c);
    add_header(h, "Expect:"); /* no 100-continue: it would cost a round trip a body */
    if (set_auth(e, c, err)) {
        http_push_free(h);
        return NULL;
    }
    return h;
}

void http_push_free(struct http_push *h) {
    if (!h)
        return;
    curl.cleanup(h->easy);
    curl.slist_free(h->headers);
    free(h);
}

/* ---------------------------------------------------------------- requests */

/* "host:port" of the URL, the port by its scheme when it names none. */
static void host_port(const char *url, char *out, size_t size) {
    const char *mark = strstr(url, "://"), *host = mark ? mark + 3 : url;
    int len = (int)strcspn(host, "/?#");
    const char *port = slice_starts(slice_cstr(url), SLICE("https")) ? ":443" : ":80";
    for (int i = len; i > 0 && host[i - 1] != ']'; i--)
        if (host[i - 1] == ':')
            port = "";
    snprintf(out, size, "%.*s%s", len, host, port);
}

/* Go's words for what can be told apart, libcurl's for the rest. */
static int fail(struct http_push *h, const char *url, CURLcode rc, struct error *err) {
    long sys_errno = 0;
    char where[256];
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, KE_TIMEOUT,
                         "Post \"%s\": context deadline exceeded (Client.Timeout exceeded while "
                         "awaiting headers)",
                         url);
    curl.getinfo(h->easy, CURLINFO_OS_ERRNO, &sys_errno);
    if (rc == CURLE_COULDNT_CONNECT && sys_errno == ECONNREFUSED) {
        host_port(url, where, sizeof where);
        return error_set(err, KE_IO, "Post \"%s\": dial tcp %s: connect: connection refused", url,
                         where);
    }
    return error_set(err, KE_IO, "Post \"%s\": %s", url,
                     h->reason[0] ? h->reason : curl.strerror(rc));
}

int http_push_post(struct http_push *h, const char *url, struct slice body,
                   struct http_push_answer *answer, struct error *err) {
    long status = 0;
    h->answer = answer;
    h->reason[0] = '\0';
    answer->status = 0;
    answer->grpc_status[0] = answer->grpc_message[0] = '\0';
    buf_reset(&answer->body);
    curl.setopt(h->easy, CURLOPT_URL, url);
    curl.setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    curl.setopt(h->easy, CURLOPT_POST, 1L);
    curl.setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl.setopt(h->easy, CURLOPT_POSTFIELDS, body.len ? body.ptr : "");
    CURLcode rc = curl.perform(h->easy);
    h->answer = NULL;
    if (rc != CURLE_OK)
        return fail(h, url, rc, err);
    curl.getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    return 0;
}
