#include "api/envelope.h"

void envelope_begin(struct json_writer *w, struct buf *out, const char *type, const char *id) {
    json_write_init(w, out, NULL, true);
    json_object_begin(w);
    json_key(w, "data");
    json_object_begin(w);
    json_key(w, "type");
    json_cstr(w, type);
    json_key(w, "id");
    json_cstr(w, id);
    json_key(w, "attributes");
    json_object_begin(w);
}

void envelope_end(struct json_writer *w) {
    for (int i = 0; i < 3; i++)
        json_object_end(w);
}
