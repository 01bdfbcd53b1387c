/* InfluxDB's line protocol: name,tag=value,… field=value,… timestamp, as the Go client of InfluxDB
 * 1 writes it: tags and fields sorted by key, empty values left out, `,`, ` ` and `=` escaped. */
#pragma once

#include "output/sample_text.h"

enum line_field_kind { FIELD_STRING, FIELD_INT, FIELD_FLOAT, FIELD_BOOL };

struct line_field {
    char *name; /* of the tag that becomes a field */
    enum line_field_kind kind;
};
#define LINE_FIELDS_MAX 64
struct line_fields {
    struct line_field items[LINE_FIELDS_MAX];
    size_t len;
};
/* Adds "vu:int" or "url" (a string). KE_CONFIG with k6's words. */
int line_fields_add(struct line_fields *f, struct slice spec, struct error *err);
void line_fields_release(struct line_fields *f);

struct line_writer {
    const struct line_fields *fields;
    int64_t unit_ns;                /* of timestamps */
    struct tags_text before, after; /* the text of a tag set around the value */
    int64_t time_ns;                /* of time_text */
    char time_text[32];
    size_t time_len;
};
void line_writer_init(struct line_writer *w, const struct line_fields *fields, int64_t unit_ns);
void line_writer_release(struct line_writer *w);
/* Appends a line with its newline. vu and iter do not appear: since k6 v0.41 they are metadata,
 * which its influxdb output does not send. False: NaN or an infinity, which the protocol does not
 * have. */
bool line_write(struct line_writer *w, struct buf *out, const struct raw_sample *s);
