/* Lines of YAML as Go's yaml.v3 writes them, for values that came as JSON. */
#pragma once

#include "base/buf.h"
#include "load/jansson_read.h"

enum yaml_style {
    YAML_PLAIN,  /* numbers, booleans and simple texts as they are */
    YAML_QUOTED, /* as a text, whatever it is; null is the empty one */
};

/* Appends "key: value\n", indented. */
void yaml_put(struct buf *out, int indent, const char *key, const json_t *value,
              enum yaml_style style);
/* strconv.FormatFloat(v, 'g', -1, 64): "1e+06", "0.25", ".inf". */
void yaml_put_float(struct buf *out, double v);
