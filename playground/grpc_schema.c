#include "grpc_schema.h"

#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "base/wire.h"

enum kind { FILE_, MESSAGE, ONEOF, FIELD, ENUM, VALUE, SERVICE, METHOD };
/* Numbers of google/protobuf/descriptor.proto. */
enum type { INT32 = 5, BOOL = 8, STRING = 9, MESSAGE_TYPE = 11, BYTES = 12, ENUM_TYPE = 14 };
enum { OPTIONAL = 1, REPEATED = 3, IN_ONEOF = 8, FROM_CLIENT = 1, FROM_SERVER = 2 };

/* One declaration; it belongs to the last one above it that can hold it. */
struct line {
    enum kind kind;
    const char *name;
    int number, flags; /* of a field: label; of a method: who streams */
    enum type type;
    const char *other;  /* file: package; field: its type; method: input */
    const char *other2; /* method: output */
};

#define IN_FILE(name_, package) \
    { .kind = FILE_, .name = (name_), .other = (package) }
#define DECLARE(kind_, name_) \
    { .kind = (kind_), .name = (name_) }
#define FIELD_OF(name_, number_, flags_, type_, other_)                                          \
    {                                                                                            \
        .kind = FIELD, .name = (name_), .number = (number_), .flags = (flags_), .type = (type_), \
        .other = (other_)                                                                        \
    }
#define SIMPLE(name_, number_, flags_, type_) FIELD_OF(name_, number_, flags_, type_, NULL)
#define CHOICE(name_, number_) \
    { .kind = VALUE, .name = (name_), .number = (number_) }
#define CALL(name_, flags_, input_, output_) \
    { .kind = METHOD, .name = (name_), .flags = (flags_), .other = (input_), .other2 = (output_) }

#define REFLECTION(package)                                                                 \
    DECLARE(MESSAGE, "ServerReflectionRequest"), DECLARE(ONEOF, "message_request"),         \
        SIMPLE("host", 1, OPTIONAL, STRING),                                                \
        SIMPLE("file_by_filename", 3, OPTIONAL | IN_ONEOF, STRING),                         \
        SIMPLE("file_containing_symbol", 4, OPTIONAL | IN_ONEOF, STRING),                   \
        SIMPLE("list_services", 7, OPTIONAL | IN_ONEOF, STRING),                            \
        DECLARE(MESSAGE, "ServerReflectionResponse"), DECLARE(ONEOF, "message_response"),   \
        SIMPLE("valid_host", 1, OPTIONAL, STRING),                                          \
        FIELD_OF("original_request", 2, OPTIONAL, MESSAGE_TYPE,                             \
                 "." package ".ServerReflectionRequest"),                                   \
        FIELD_OF("file_descriptor_response", 4, OPTIONAL | IN_ONEOF, MESSAGE_TYPE,          \
                 "." package ".FileDescriptorResponse"),                                    \
        FIELD_OF("list_services_response", 6, OPTIONAL | IN_ONEOF, MESSAGE_TYPE,            \
                 "." package ".ListServiceResponse"),                                       \
        FIELD_OF("error_response", 7, OPTIONAL | IN_ONEOF, MESSAGE_TYPE,                    \
                 "." package ".ErrorResponse"),                                             \
        DECLARE(MESSAGE, "FileDescriptorResponse"),                                         \
        SIMPLE("file_descriptor_proto", 1, REPEATED, BYTES),                                \
        DECLARE(MESSAGE, "ListServiceResponse"),                                            \
        FIELD_OF("service", 1, REPEATED, MESSAGE_TYPE, "." package ".ServiceResponse"),     \
        DECLARE(MESSAGE, "ServiceResponse"), SIMPLE("name", 1, OPTIONAL, STRING),           \
        DECLARE(MESSAGE, "ErrorResponse"), SIMPLE("error_code", 1, OPTIONAL, INT32),        \
        SIMPLE("error_message", 2, OPTIONAL, STRING), DECLARE(SERVICE, "ServerReflection"), \
        CALL("ServerReflectionInfo", FROM_CLIENT | FROM_SERVER,                             \
             "." package ".ServerReflectionRequest", "." package ".ServerReflectionResponse")

static const struct line lines[] = {
    IN_FILE("quickpizza.proto", "quickpizza"),
    DECLARE(MESSAGE, "StatusRequest"),
    DECLARE(MESSAGE, "StatusResponse"),
    SIMPLE("ready", 1, OPTIONAL, BOOL),
    DECLARE(MESSAGE, "PizzaRatingRequest"),
    SIMPLE("ingredients", 1, REPEATED, STRING),
    SIMPLE("dough", 2, OPTIONAL, STRING),
    DECLARE(MESSAGE, "PizzaRatingResponse"),
    SIMPLE("stars_rating", 1, OPTIONAL, INT32),
    DECLARE(SERVICE, "GRPC"),
    CALL("Status", 0, ".quickpizza.StatusRequest", ".quickpizza.StatusResponse"),
    CALL("RatePizza", 0, ".quickpizza.PizzaRatingRequest", ".quickpizza.PizzaRatingResponse"),

    IN_FILE("grpc/health/v1/health.proto", "grpc.health.v1"),
    DECLARE(MESSAGE, "HealthCheckRequest"),
    SIMPLE("service", 1, OPTIONAL, STRING),
    DECLARE(MESSAGE, "HealthCheckResponse"),
    FIELD_OF("status", 1, OPTIONAL, ENUM_TYPE, ".grpc.health.v1.HealthCheckResponse.ServingStatus"),
    DECLARE(ENUM, "ServingStatus"),
    CHOICE("UNKNOWN", 0),
    CHOICE("SERVING", 1),
    CHOICE("NOT_SERVING", 2),
    CHOICE("SERVICE_UNKNOWN", 3),
    DECLARE(SERVICE, "Health"),
    CALL("Check", 0, ".grpc.health.v1.HealthCheckRequest", ".grpc.health.v1.HealthCheckResponse"),
    CALL("Watch", FROM_SERVER, ".grpc.health.v1.HealthCheckRequest",
         ".grpc.health.v1.HealthCheckResponse"),

    IN_FILE("grpc/reflection/v1/reflection.proto", "grpc.reflection.v1"),
    REFLECTION("grpc.reflection.v1"),
    IN_FILE("grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha"),
    REFLECTION("grpc.reflection.v1alpha"),
};

static const char *const services[] = {
    "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection", "quickpizza.GRPC", NULL};

static struct buf files[GRPC_FILES];
static const struct line *starts[GRPC_FILES + 1];

/* ---------------------------------------------------------------- writing */

static void put_text(struct buf *out, unsigned number, const char *text) {
    wire_put_varint(out, number << 3 | 2);
    wire_put_text(out, slice_cstr(text));
}

static void put_number(struct buf *out, unsigned number, uint64_t value) {
    wire_put_varint(out, number << 3);
    wire_put_varint(out, value);
}

static void put_message(struct buf *out, unsigned number, struct buf *message) {
    wire_put_varint(out, number << 3 | 2);
    wire_put_text(out, buf_slice(message));
    buf_release(message);
}

/* Kinds in the order of who holds whom: a declaration ends where one of its own kind, or of one
 * that cannot be inside of it, begins. */
static const struct line *end_of(const struct line *l, const struct line *end) {
    const struct line *at = l + 1;
    for (; at < end; at++) {
        bool is_inside = l->kind == MESSAGE ? at->kind == ONEOF || at->kind == FIELD ||
                                                  at->kind == ENUM || at->kind == VALUE
                         : l->kind == ENUM    ? at->kind == VALUE
                         : l->kind == SERVICE ? at->kind == METHOD
                                              : false;
        if (!is_inside)
            break;
    }
    return at;
}

/* "fileByFilename" of "file_by_filename" */
static void put_json_name(struct buf *out, const char *name) {
    char text[64];
    size_t n = 0;
    for (const char *c = name; *c && n + 1 < sizeof text; c++) {
        if (*c == '_' && c[1])
            text[n++] = (char)(*++c - 'a' + 'A');
        else
            text[n++] = *c;
    }
    text[n] = '\0';
    put_text(out, 10, text);
}

static void put_field(struct buf *out, const struct line *l) {
    struct buf f;
    buf_init(&f, BUF_NO_CAP);
    put_text(&f, 1, l->name);
    put_number(&f, 3, (unsigned)l->number);
    put_number(&f, 4, (unsigned)l->flags & 3);
    put_number(&f, 5, l->type);
    if (l->other)
        put_text(&f, 6, l->other);
    if (l->flags & IN_ONEOF)
        put_number(&f, 9, 0);
    put_json_name(&f, l->name);
    put_message(out, 2, &f);
}

static void put_named(struct buf *out, unsigned number, const struct line *l) {
    struct buf one;
    buf_init(&one, BUF_NO_CAP);
    put_text(&one, 1, l->name);
    if (l->kind == VALUE)
        put_number(&one, 2, (unsigned)l->number);
    if (l->kind == METHOD) {
        put_text(&one, 2, l->other);
        put_text(&one, 3, l->other2);
        if (l->flags & FROM_CLIENT)
            put_number(&one, 5, 1);
        if (l->flags & FROM_SERVER)
            put_number(&one, 6, 1);
    }
    put_message(out, number, &one);
}

static void put_enum(struct buf *out, unsigned number, const struct line *l,
                     const struct line *end) {
    struct buf e;
    buf_init(&e, BUF_NO_CAP);
    put_text(&e, 1, l->name);
    for (const struct line *v = l + 1; v < end; v++)
        put_named(&e, 2, v);
    put_message(out, number, &e);
}

static void put_message_type(struct buf *out, const struct line *l, const struct line *end) {
    struct buf m;
    buf_init(&m, BUF_NO_CAP);
    put_text(&m, 1, l->name);
    for (const struct line *at = l + 1; at < end; at++) {
        if (at->kind == FIELD)
            put_field(&m, at);
        else if (at->kind == ONEOF)
            put_named(&m, 8, at);
        else if (at->kind == ENUM)
            put_enum(&m, 4, at, end_of(at, end));
    }
    put_message(out, 4, &m);
}

static void put_service(struct buf *out, const struct line *l, const struct line *end) {
    struct buf s;
    buf_init(&s, BUF_NO_CAP);
    put_text(&s, 1, l->name);
    for (const struct line *m = l + 1; m < end; m++)
        put_named(&s, 2, m);
    put_message(out, 6, &s);
}

static void write_file(struct buf *out, const struct line *l, const struct line *end) {
    buf_init(out, BUF_NO_CAP);
    put_text(out, 1, l->name);
    put_text(out, 2, l->other);
    for (const struct line *at = l + 1; at < end; at = end_of(at, end)) {
        if (at->kind == MESSAGE)
            put_message_type(out, at, end_of(at, end));
        else if (at->kind == SERVICE)
            put_service(out, at, end_of(at, end));
    }
    put_text(out, 12, "proto3");
}

static void prepare(void) {
    size_t n = 0;
    for (size_t i = 0; i < countof(lines); i++) {
        if (lines[i].kind == FILE_)
            starts[n++] = &lines[i];
    }
    CHECK(n == GRPC_FILES);
    starts[n] = lines + countof(lines);
    for (size_t i = 0; i < n; i++)
        write_file(&files[i], starts[i], starts[i + 1]);
}

void grpc_schema_prepare(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
}

/* ---------------------------------------------------------------- looking up */

const char *const *grpc_schema_services(void) {
    return services;
}

struct slice grpc_schema_of_file(struct slice name) {
    for (size_t i = 0; i < GRPC_FILES; i++) {
        if (slice_eq(name, slice_cstr(starts[i]->name)))
            return buf_slice(&files[i]);
    }
    return SLICE("");
}

/* Members (a method, an enum's value) count as their parent. */
struct slice grpc_schema_of_symbol(struct slice full_name) {
    for (size_t i = 0; i < GRPC_FILES; i++) {
        struct slice package = slice_cstr(starts[i]->other);
        if (!slice_starts(full_name, package) || full_name.len <= package.len ||
            full_name.ptr[package.len] != '.')
            continue;
        struct slice rest =
            slice_from(full_name.ptr + package.len + 1, full_name.len - package.len - 1);
        struct slice first = slice_cut(&rest, '.');
        for (const struct line *l = starts[i] + 1; l < starts[i + 1]; l++) {
            if ((l->kind == MESSAGE || l->kind == SERVICE) && slice_eq(first, slice_cstr(l->name)))
                return buf_slice(&files[i]);
        }
    }
    return SLICE("");
}
