#include "cli/yaml.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"

/* The shortest digits that read back: what %g would give with the right precision. */
void yaml_put_float(struct buf *out, double v) {
    char text[40];
    if (!isfinite(v)) {
        buf_append_str(out, isnan(v) ? ".nan" : v > 0 ? ".inf" : "-.inf");
        return;
    }
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, v);
    while (strtod(text, NULL) != v && ++digits <= 17);
    int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 6)
        buf_append_str(out, text);
    else
        buf_printf(out, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, v);
}

/* Texts that would be read as something else, or break the line, are quoted. */
static bool is_simple(const char *s) {
    static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "~"};
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(s, words[i]) == 0)
            return false;
    for (const char *c = s; *c; c++)
        if ((unsigned char)*c < 0x20 || (*c == ':' && (c[1] == ' ' || c[1] == '\0')) ||
            (*c == '#' && c > s && c[-1] == ' ') || (*c == ' ' && c[1] == '\0'))
            return false;
    return true;
}

static void put_text(struct buf *out, const char *s, enum yaml_style style) {
    struct json_writer w;
    if (style == YAML_PLAIN && is_simple(s)) {
        buf_append_str(out, s);
        return;
    }
    json_write_init(&w, out, NULL, false);
    json_cstr(&w, s);
}

static void put_value(struct buf *out, const json_t *value, enum yaml_style style) {
    const char *quote = style == YAML_QUOTED ? "\"" : "";
    if (value == NULL || json_is_null(value)) {
        buf_append_str(out, style == YAML_QUOTED ? "\"\"" : "null");
    } else if (json_is_boolean(value)) {
        buf_printf(out, "%s%s%s", quote, json_is_true(value) ? "true" : "false", quote);
    } else if (json_is_integer(value) && style == YAML_QUOTED) {
        buf_printf(out, "\"%lld\"", (long long)json_integer_value(value));
    } else if (json_is_number(value)) {
        yaml_put_float(out, json_number_value(value));
    } else if (json_is_string(value)) {
        put_text(out, json_string_value(value), style);
    }
}

void yaml_put(struct buf *out, int indent, const char *key, const json_t *value,
              enum yaml_style style) {
    buf_printf(out, "%*s%s: ", indent, "", key);
    put_value(out, value, style);
    buf_append_char(out, '\n');
}
