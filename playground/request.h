/* One request and its answer, independent of the HTTP library, so that handlers run in unit tests
 * too. A handler looks at the request, writes the answer with one of the reply functions, and
 * returns at once: where an answer is to be late, it adds to response.wait_ns, and the server holds
 * the answer back that long without a thread waiting. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "json_go.h"
#include "user_store.h"

#define REQUEST_BODY_MAX_BYTES ((size_t)1 << 20)
#define REQUEST_BODY_LARGE_BYTES ((size_t)16 << 20) /* for routes with ROUTE_LARGE_BODY */
#define REQUEST_MAX_PARAMS 2
/* Headers above these are left out: nobody means to send so many. */
#define RESPONSE_MAX_HEADERS 100
/* Bodies above this go out chunked, as Go's server does for bodies of unknown length. */
#define RESPONSE_CHUNKED_ABOVE 2048

enum http_method {
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_PUT = 1 << 3,
    METHOD_PATCH = 1 << 4,
    METHOD_DELETE = 1 << 5,
    METHOD_OPTIONS = 1 << 6,
    METHOD_OTHER = 1 << 7,
};
#define METHOD_ANY 0xff

/* The method of this name; letter case counts. */
enum http_method http_method_parse(const char *name);

/* "GET" and so on; "OTHER" for METHOD_OTHER. */
const char *http_method_name(enum http_method method);

enum request_field { FIELD_HEADER, FIELD_COOKIE, FIELD_QUERY };

/* Finds a header (any case), a cookie or a query parameter; NULL when absent. */
typedef const char *(*request_lookup)(void *source, enum request_field field, const char *name);

/* Shows one header, cookie or query parameter; value is empty when there is none. */
typedef void (*request_visit)(void *arg, const char *name, const char *value);

/* Shows all of a kind in the order they came. */
typedef void (*request_each)(void *source, enum request_field field, request_visit visit,
                             void *arg);

/* An answer that never changes. The server makes the library's form of it once and sends that again
 * and again. Must live until the server has stopped. */
struct blob {
    int status;
    const char *content_type; /* NULL for none */
    struct slice body;
    bool is_file; /* from the embedded files: always sent with a Content-Length */
    struct {
        const char *name;
        const char *value;
    } header; /* one more header, or zero */
    _Atomic(void *)
        native[2]; /* the server's: without and with the headers of a cross-origin answer */
};

struct response_header {
    const char *name;
    const char *value;
};

struct request;
struct route;

struct response {
    int status;
    const char *content_type; /* must live as long as the request; NULL for none */
    struct buf body;
    struct blob *blob; /* when set: the whole answer, nothing else here counts but wait_ns */
    struct response_header *headers; /* these live in the request's arena */
    size_t header_count;
    size_t header_room;
    uint64_t random_bytes; /* a body of that many random bytes in place of `body` */
    bool has_length;       /* sent with a Content-Length, be it ever so long */
    bool is_upgrade;       /* hand the connection over to the WebSocket hub */
    int64_t wait_ns;
    /* The rest of a handler that takes long to compute (a password's hash): the server runs it on a
     * thread kept for such work, before wait_ns begins. Headers of the request are out of reach
     * then. */
    void (*later)(struct request *r);
};

struct request {
    const struct app *app;
    request_lookup lookup;
    request_each each;
    void *source; /* for these two */
    enum http_method method;
    const char *method_name;
    const char *path; /* decoded, without the query */
    struct buf body;
    struct slice params[REQUEST_MAX_PARAMS]; /* what the route's {..} matched */
    const struct route *route;               /* NULL when none fits */
    bool is_cross_origin;
    struct user identity; /* after authentication: who asks */
    struct slice user;    /* for the log: the customer id, or the user's name; may be empty */
    struct slice pizza;   /* for the log: name of the pizza recommended */
    void *work;           /* a handler's own, for response.later */
    int64_t start_ns;
    struct arena arena;
    struct response response;
};

/* Empty request; the caller then sets app, lookup, source, method and path. */
void request_init(struct request *r);
void request_release(struct request *r);

/* Value of a header, cookie or query parameter; NULL when absent. */
const char *request_header(const struct request *r, const char *name);
const char *request_cookie(const struct request *r, const char *name);
const char *request_query(const struct request *r, const char *name);

/* Reads the body into a struct, see json_go.h. False after answering 400 with what is wrong. */
bool request_read_json(struct request *r, const struct json_go_type *type, void *out);

/* Parameter number `index` of the path as a number. False when it does not fit. */
bool request_param_int(const struct request *r, size_t index, int64_t *out);

/* Status without a body. */
void reply_empty(struct request *r, int status);

/* {"error":"<text>"} and a line feed. */
void reply_error(struct request *r, int status, const char *text);

/* Sets status and type of JSON that the caller writes, or has written, to response.body. */
void reply_json(struct request *r, int status);

/* Copies text as the body. content_type is a constant. */
void reply_text(struct request *r, int status, const char *content_type, struct slice text);

/* Answers with a constant. */
void reply_blob(struct request *r, struct blob *blob);

/* What an unknown path, or a known one with a method it does not take, gets. */
void reply_page_not_found(struct request *r);

/* Adds a header; the value is copied, the name is not. */
void reply_header(struct request *r, const char *name, struct slice value);
