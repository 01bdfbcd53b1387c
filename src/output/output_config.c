#include "output/output_config.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/go_text.h"
#include "base/percent.h"

/* ---------------------------------------------------------------- values */

bool parse_bool_go(struct slice s, bool *out) {
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
    static const char *const no[] = {"0", "f", "F", "FALSE", "false", "False"};
    for (size_t i = 0; i < countof(yes); i++) {
        if (slice_eq(s, slice_cstr(yes[i])) || slice_eq(s, slice_cstr(no[i]))) {
            *out = slice_eq(s, slice_cstr(yes[i]));
            return true;
        }
    }
    return false;
}

bool parse_int_go(struct slice s, int64_t *out) {
    bool is_negative = s.len && s.ptr[0] == '-';
    uint64_t n;
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = slice_from(s.ptr + 1, s.len - 1);
    if (!slice_to_u64(s, &n) || n > (uint64_t)INT64_MAX)
        return false;
    *out = is_negative ? -(int64_t)n : (int64_t)n;
    return true;
}

int config_duration(struct slice s, int64_t *out_ns, struct error *err) {
    struct buf quoted;
    if (duration_parse(s, out_ns) == 0)
        return 0;
    buf_init(&quoted, BUF_NO_CAP);
    go_quote(&quoted, s);
    error_set(err, KE_CONFIG, "time: invalid duration %s", buf_cstr(&quoted));
    buf_release(&quoted);
    return KE_CONFIG;
}

int config_check_flush(int64_t flush_ns, struct error *err) {
    char text[DURATION_TEXT_MAX];
    if (flush_ns > 0)
        return 0;
    return error_set(err, KE_CONFIG, "metric flush period should be positive but was %s",
                     duration_format(flush_ns, text));
}

/* ---------------------------------------------------------------- environment */

const char *variable_get(const struct output_variable *v) {
    const char *text = output_getenv(v->output, v->name);
    return text && text[0] ? text : NULL;
}

static int bad(const struct output_variable *v, const char *text, const char *type,
               const char *details, struct error *err) {
    return error_set(
        err, KE_CONFIG,
        "%senvconfig.Process: assigning %s to %s: converting '%s' to type %s. details: "
        "%s",
        v->prefix ? v->prefix : "", v->name, v->field, text, type, details);
}

void variable_string(const struct output_variable *v, char **out) {
    const char *text = variable_get(v);
    if (!text)
        return;
    free(*out);
    *out = xstrdup(text);
}

int variable_duration(const struct output_variable *v, int64_t *out_ns, struct error *err) {
    struct error reason;
    const char *text = variable_get(v);
    if (!text || config_duration(slice_cstr(text), out_ns, &reason) == 0)
        return 0;
    return bad(v, text, "types.NullDuration", reason.text, err);
}

static int bad_number(const struct output_variable *v, const char *text, const char *type,
                      const char *function, struct error *err) {
    struct buf details;
    buf_init(&details, BUF_NO_CAP);
    buf_printf(&details, "strconv.%s: parsing ", function);
    go_quote(&details, slice_cstr(text));
    buf_append_str(&details, ": invalid syntax");
    bad(v, text, type, buf_cstr(&details), err);
    buf_release(&details);
    return KE_CONFIG;
}

int variable_int(const struct output_variable *v, int64_t *out, struct error *err) {
    const char *text = variable_get(v);
    if (!text || parse_int_go(slice_cstr(text), out))
        return 0;
    return bad_number(v, text, "null.Int", "ParseInt", err);
}

/* k6's null.Bool knows only these two words. */
int variable_bool(const struct output_variable *v, bool *out, struct error *err) {
    const char *text = variable_get(v);
    if (!text)
        return 0;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *out = text[0] == 't';
        return 0;
    }
    char *details = xasprintf("invalid input:%s", text);
    bad(v, text, "null.Bool", details, err);
    free(details);
    return KE_CONFIG;
}

/* ---------------------------------------------------------------- URLs */

void query_escape(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (is_plain)
            buf_append_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

static char *unescaped(struct slice s) {
    struct buf b;
    buf_init(&b, BUF_NO_CAP);
    percent_decode(&b, s, false);
    return buf_detach(&b, NULL);
}

static bool is_scheme(struct slice s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.ptr[i] | 0x20);
        if (!(c >= 'a' && c <= 'z') && !(i > 0 && s.ptr[i] >= '0' && s.ptr[i] <= '9'))
            return false;
    }
    return s.len > 0;
}

/* The last '@' ends the user, as Go has it. */
static void cut_user(struct slice *host, struct output_url *out) {
    size_t at = host->len;
    while (at > 0 && host->ptr[at - 1] != '@')
        at--;
    if (at == 0)
        return;
    struct slice password = slice_from(host->ptr, at - 1), user = slice_cut(&password, ':');
    out->username = unescaped(user);
    out->password = password.ptr ? unescaped(password) : xstrdup("");
    *host = slice_from(host->ptr + at, host->len - at);
}

int output_url_parse(struct slice text, struct output_url *out, struct error *err) {
    struct slice rest = text, fragment = text;
    *out = (struct output_url){0};
    rest = slice_cut(&fragment, '#');
    out->query = rest;
    rest = slice_cut(&out->query, '?');
    const char *mark = rest.len > 3 ? memmem(rest.ptr, rest.len, "://", 3) : NULL;
    if (mark) {
        struct slice scheme = slice_from(rest.ptr, (size_t)(mark - rest.ptr));
        struct slice host = slice_from(mark + 3, rest.len - scheme.len - 3);
        const char *slash = memchr(host.ptr, '/', host.len);
        if (!is_scheme(scheme))
            return error_set(err, KE_CONFIG,
                             "parse \"%.*s\": first path segment in URL cannot contain colon",
                             SLICE_FMT(text));
        rest = slash ? slice_from(slash, host.len - (size_t)(slash - host.ptr)) : SLICE("");
        host.len -= rest.len;
        cut_user(&host, out);
        if (host.len)
            out->base = xasprintf("%.*s://%.*s", SLICE_FMT(scheme), SLICE_FMT(host));
    }
    out->path = unescaped(rest);
    return 0;
}

void output_url_release(struct output_url *u) {
    free(u->base);
    free(u->username);
    free(u->password);
    free(u->path);
    *u = (struct output_url){0};
}
