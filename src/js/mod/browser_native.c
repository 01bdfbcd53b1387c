/* What C does for js/browser: an object of functions. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/compat.h"
#include "base/log.h"
#include "embed/page_devices.h"
#include "embed/page_injected.h"
#include "embed/page_web_vitals.h"
#include "js/js_util.h"
#include "js/mod/browser_internal.h"
#include "js/vu_tags.h"
#include "http/url.h"

#define LOOKUP_NS (5 * NS_PER_S)
#define FILE_BYTES_MAX ((size_t)256 << 20)

static struct browser_module *module_of(JSContext *ctx) {
    return browser_module_of(vu_from_ctx(ctx));
}

#define NATIVE(name) \
    static JSValue name(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
#define UNUSED_ARGS (void)this_val, (void)argc, (void)argv

/* ---------------------------------------------------------------- the connection */

static JSValue opened(JSContext *ctx, int rc, const struct browser_link *l,
                      const struct error *err) {
    if (rc == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return rc ? js_throw_go_error(ctx, "%s", err->text) : JS_NewInt64(ctx, l->id);
}

static struct browser_link *link_of(JSContext *ctx, JSValueConst id) {
    int64_t n = 0;
    JS_ToInt64(ctx, &n, id);
    return browser_link_by_id(module_of(ctx), n);
}

/* launch(executable or null, [argument]): the number of the link */
NATIVE(js_launch) {
    UNUSED_ARGS;
    struct error err = {0};
    struct browser_link *l = NULL;
    uint32_t n = 0;
    JSValue length = JS_GetPropertyStr(ctx, argv[1], "length");
    JS_ToUint32(ctx, &n, length);
    const char **args = xcalloc(n + 1, sizeof *args);
    for (uint32_t i = 0; i < n; i++) {
        JSValue v = JS_GetPropertyUint32(ctx, argv[1], i);
        args[i] = JS_ToCString(ctx, v);
        JS_FreeValue(ctx, v);
    }
    const char *wanted = JS_IsString(argv[0]) ? JS_ToCString(ctx, argv[0]) : NULL;
    char *found = cdp_find_browser(wanted);
    int rc = KE_NOT_FOUND;
    if (found)
        rc = browser_launch(module_of(ctx), found, args, &l, &err);
    else if (wanted)
        error_set(&err, rc,
                  "finding browser executable: k6 couldn't detect google chrome or a "
                  "chromium-supported browser on the given path: %s",
                  wanted);
    else
        error_set(
            &err, rc,
            "finding browser executable: k6 couldn't detect google chrome or a chromium-supported "
            "browser on this system: install chromium, or set K6_BROWSER_EXECUTABLE_PATH");
    for (uint32_t i = 0; i < n; i++)
        JS_FreeCString(ctx, args[i]);
    free(args);
    free(found);
    JS_FreeCString(ctx, wanted);
    return opened(ctx, rc, l, &err);
}

/* connect(url, timeout in ms): the number of the link */
NATIVE(js_connect) {
    UNUSED_ARGS;
    struct error err = {0};
    struct browser_link *l = NULL;
    double ms = 30000;
    const char *url = JS_ToCString(ctx, argv[0]);
    JS_ToFloat64(ctx, &ms, argv[1]);
    int rc = browser_connect(module_of(ctx), url ? url : "", clock_now_ns() + (int64_t)(ms * 1e6),
                             &l, &err);
    JS_FreeCString(ctx, url);
    return opened(ctx, rc, l, &err);
}

/* close(link): it and its process are gone afterwards */
NATIVE(js_close) {
    UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    if (l)
        browser_link_close(l);
    return JS_UNDEFINED;
}

NATIVE(js_close_all) {
    UNUSED_ARGS;
    browser_close(module_of(ctx));
    return JS_UNDEFINED;
}

NATIVE(js_is_open) {
    UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    return JS_NewBool(ctx, l && !cdp_conn_has_ended(l->conn));
}

/* What the browser said on stderr, for messages about a start that failed. */
NATIVE(js_words) {
    UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    char *words = l && l->process ? cdp_process_words(l->process) : xstrdup("");
    JSValue v = JS_NewString(ctx, words);
    free(words);
    return v;
}

/* The profile directory of a browser of our own, removed with it; undefined for a remote one. */
NATIVE(js_profile) {
    UNUSED_ARGS;
    const struct browser_link *l = link_of(ctx, argv[0]);
    return l && l->process ? JS_NewString(ctx, cdp_process_profile(l->process)) : JS_UNDEFINED;
}

/* send(link, id, session, method, params as JSON): false when the connection has ended */
NATIVE(js_send) {
    UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    struct js_text text[3];
    int64_t id = 0;
    int n = 0, rc = KE_EOF;
    JS_ToInt64(ctx, &id, argv[1]);
    while (n < 3 && js_text_get(ctx, argv[n + 2], &text[n]))
        n++;
    if (n == 3 && l)
        rc = cdp_conn_send(l->conn, id, text[0].s, text[1].s, text[2].s);
    bool failed = n < 3;
    while (n > 0)
        js_text_release(&text[--n]);
    return failed ? JS_EXCEPTION : JS_NewBool(ctx, rc == 0);
}

/* listen(link, method of an event) */
NATIVE(js_listen) {
    UNUSED_ARGS;
    struct browser_link *l = link_of(ctx, argv[0]);
    struct js_text text;
    if (!js_text_get(ctx, argv[1], &text))
        return JS_EXCEPTION;
    if (l)
        cdp_conn_listen(l->conn, text.s);
    js_text_release(&text);
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- waiting */

/* poll(): blocks until there is something to dispatch, and dispatches it. */
NATIVE(js_poll) {
    UNUSED_ARGS;
    struct browser_module *m = module_of(ctx);
    if (browser_wait(m, NEVER_NS) == KE_CANCELED)
        return js_throw_interrupted(ctx);
    return browser_dispatch(m) ? JS_UNDEFINED : JS_EXCEPTION;
}

/* wakeAt(ms of now(), or -1): timers() is called then */
NATIVE(js_wake_at) {
    UNUSED_ARGS;
    double at = -1;
    JS_ToFloat64(ctx, &at, argv[0]);
    browser_wake_at(module_of(ctx), at < 0 ? NEVER_NS : (int64_t)(at * 1e6) + 1);
    return JS_UNDEFINED;
}

NATIVE(js_now) {
    UNUSED_ARGS;
    return JS_NewFloat64(ctx, (double)clock_now_ns() / 1e6);
}

/* pending(1 or -1): a promise holds the iteration, or no longer */
NATIVE(js_pending) {
    UNUSED_ARGS;
    struct browser_module *m = module_of(ctx);
    int32_t by = 0;
    JS_ToInt32(ctx, &by, argv[0]);
    if (by > 0) {
        m->pending++;
        js_loop_pending_add(m->vu);
    } else if (m->pending) {
        m->pending--;
        js_loop_pending_done(m->vu);
    }
    return JS_UNDEFINED;
}

/* ---------------------------------------------------------------- samples */

#define SAMPLE_TAGS_MAX 16

static enum metric_type type_of(const char *name) {
    if (strncmp(name, "browser_data_", 13) == 0)
        return METRIC_COUNTER;
    return strcmp(name, "browser_http_req_failed") == 0 ? METRIC_RATE : METRIC_TREND;
}

static enum metric_contains contains_of(const char *name, enum metric_type type) {
    if (type == METRIC_COUNTER)
        return METRIC_DATA;
    return type == METRIC_RATE || strcmp(name, "browser_web_vital_cls") == 0 ? METRIC_DEFAULT
                                                                             : METRIC_TIME;
}

static struct metric *metric_of(const char *name) {
    struct error err;
    enum metric_type type = type_of(name);
    return metric_register(slice_cstr(name), type, contains_of(name, type), &err);
}

void browser_metrics_register(void) {
    static const char *const names[] = {"browser_data_sent",         "browser_data_received",
                                        "browser_http_req_duration", "browser_http_req_failed",
                                        "browser_web_vital_ttfb",    "browser_web_vital_fcp",
                                        "browser_web_vital_lcp",     "browser_web_vital_cls",
                                        "browser_web_vital_inp",     "browser_web_vital_fid"};
    for (size_t i = 0; i < countof(names); i++)
        metric_of(names[i]);
}

/* sample(metric, value, [key, value, …]) */
NATIVE(js_sample) {
    UNUSED_ARGS;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text text[SAMPLE_TAGS_MAX * 2];
    struct tag add[SAMPLE_TAGS_MAX];
    uint32_t n = 0, len = 0;
    double value = 0;
    JSValue length = JS_GetPropertyStr(ctx, argv[2], "length");
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    JS_ToFloat64(ctx, &value, argv[1]);
    JS_ToUint32(ctx, &len, length);
    struct metric *metric = metric_of(name);
    JS_FreeCString(ctx, name);
    if (!vu->shard || !metric)
        return JS_UNDEFINED;
    for (; n < len && n < countof(text); n++) {
        JSValue v = JS_GetPropertyUint32(ctx, argv[2], n);
        bool ok = js_text_get(ctx, v, &text[n]);
        JS_FreeValue(ctx, v);
        if (!ok)
            break;
    }
    for (uint32_t i = 0; i + 1 < n; i += 2)
        add[i / 2] = (struct tag){text[i].s, text[i + 1].s};
    vu_sample(vu, metric, tagset_with_all(shard_tags(vu->shard), vu->tags, add, n / 2), value,
              clock_now_ns());
    for (uint32_t i = 0; i < n; i++)
        js_text_release(&text[i]);
    return n < len && n < countof(text) ? JS_EXCEPTION : JS_UNDEFINED;
}

NATIVE(js_has_tag) {
    UNUSED_ARGS;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    bool has = (vu->config->system_tags & system_tag_by_name(text.s)) != 0;
    js_text_release(&text);
    return JS_NewBool(ctx, has);
}

/* ---------------------------------------------------------------- the rest */

static enum log_level level_of(struct slice name) {
    enum log_level level = LOG_DEBUG;
    while (level < LOG_ERROR && !slice_eq(name, slice_cstr(log_level_name(level))))
        level++;
    return level;
}

/* log("debug", "info", "warning" or "error", message, browser_source or undefined, category or
 * undefined) */
NATIVE(js_log) {
    UNUSED_ARGS;
    struct js_text text[4];
    int n = 0;
    while (n < 4 && js_text_get(ctx, argv[n], &text[n]))
        n++;
    if (n == 4) {
        struct log_field fields[3];
        size_t count = 0;
        if (JS_IsString(argv[2]))
            fields[count++] = LOG_SLICE("browser_source", text[2].s);
        if (JS_IsString(argv[3]))
            fields[count++] = LOG_SLICE("category", text[3].s);
        fields[count++] = LOG_STR("source", "browser");
        enum log_level level = level_of(text[0].s);
        if ((int)level >= module_of(ctx)->log_level)
            log_write_always(level, text[1].s, fields, count);
    }
    bool ok = n == 4;
    while (n > 0)
        js_text_release(&text[--n]);
    return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

/* logLevel(name): records of the module below it are not written, whatever the log's own level */
NATIVE(js_log_level) {
    UNUSED_ARGS;
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    module_of(ctx)->log_level = (int)level_of(text.s);
    js_text_release(&text);
    return JS_UNDEFINED;
}

NATIVE(js_logs) {
    UNUSED_ARGS;
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    bool logs = (int)level_of(text.s) >= module_of(ctx)->log_level;
    js_text_release(&text);
    return JS_NewBool(ctx, logs);
}

/* env(name): of the process, as k6 does; undefined when it is not set */
NATIVE(js_env) {
    UNUSED_ARGS;
    const char *name = JS_ToCString(ctx, argv[0]);
    const char *value = name ? getenv(name) : NULL;
    JS_FreeCString(ctx, name);
    return value ? JS_NewString(ctx, value) : JS_UNDEFINED;
}

NATIVE(js_go_error) {
    UNUSED_ARGS;
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    JSValue e = js_new_go_error(ctx, text.s.ptr, text.s.len);
    js_text_release(&text);
    return e;
}

static JSValue file_error(JSContext *ctx, const char *what, const char *path) {
    return js_throw_go_error(ctx, "%s '%s': %s", what, path, strerror(errno));
}

static void make_folders(const char *path) {
    char *copy = xstrdup(path);
    for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        mkdir(copy, 0755);
        *p = '/';
    }
    free(copy);
}

/* writeFile(path, ArrayBuffer): with the folders that are missing */
NATIVE(js_write_file) {
    UNUSED_ARGS;
    const uint8_t *bytes;
    size_t len;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path || !js_bytes(ctx, argv[1], &bytes, &len)) {
        JS_FreeCString(ctx, path);
        return JS_EXCEPTION;
    }
    make_folders(path);
    FILE *f = fopen(path, "we");
    bool ok = f && fwrite(bytes, 1, len, f) == len;
    ok = f && fclose(f) == 0 && ok;
    JSValue r = ok ? JS_UNDEFINED : file_error(ctx, "cannot write", path);
    JS_FreeCString(ctx, path);
    return r;
}

/* decode(base64): an ArrayBuffer */
NATIVE(js_decode) {
    UNUSED_ARGS;
    struct js_text text;
    struct buf out;
    size_t bad;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    buf_init(&out, FILE_BYTES_MAX);
    int rc = base64_decode(&out, text.s, (struct base64_form){BASE64_STD, false}, &bad);
    js_text_release(&text);
    JSValue v = rc ? js_throw_go_error(ctx, "illegal base64 data")
                   : JS_NewArrayBufferCopy(ctx, (const uint8_t *)out.ptr, out.len);
    buf_release(&out);
    return v;
}

/* text(ArrayBuffer): its UTF-8 as a string */
NATIVE(js_text) {
    UNUSED_ARGS;
    const uint8_t *bytes;
    size_t len;
    if (!js_bytes(ctx, argv[0], &bytes, &len))
        return JS_NewString(ctx, "");
    return JS_NewStringLen(ctx, (const char *)bytes, len);
}

/* encode(ArrayBuffer or string): base64 */
NATIVE(js_encode) {
    UNUSED_ARGS;
    struct js_text text = {0};
    const uint8_t *bytes;
    size_t len;
    struct buf out;
    if (!js_bytes(ctx, argv[0], &bytes, &len)) {
        if (!js_text_get(ctx, argv[0], &text))
            return JS_EXCEPTION;
        bytes = (const uint8_t *)text.s.ptr;
        len = text.s.len;
    }
    buf_init(&out, FILE_BYTES_MAX * 2);
    base64_encode(&out, slice_from((const char *)bytes, len),
                  (struct base64_form){BASE64_STD, false});
    JSValue v = JS_NewStringLen(ctx, out.len ? out.ptr : "", out.len);
    buf_release(&out);
    if (text.ctx)
        js_text_release(&text);
    return v;
}

/* asset("injected", "web-vitals" or "devices") */
NATIVE(js_asset) {
    UNUSED_ARGS;
    static const struct {
        struct slice name;
        const unsigned char *text;
        const size_t *bytes;
    } assets[] = {{SLICE("injected"), page_injected, &page_injected_bytes},
                  {SLICE("web-vitals"), page_web_vitals, &page_web_vitals_bytes},
                  {SLICE("devices"), page_devices, &page_devices_bytes}};
    struct js_text text;
    JSValue v = JS_UNDEFINED;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    for (size_t i = 0; i < countof(assets); i++)
        if (slice_eq(text.s, assets[i].name))
            v = JS_NewStringLen(ctx, (const char *)assets[i].text, *assets[i].bytes);
    js_text_release(&text);
    return v;
}

/* options.hosts as [[pattern, address]], without those of one port: Chromium has no such rules */
static JSValue hosts_of(JSContext *ctx, const struct dialer_config *dialer) {
    JSValue list = JS_NewArray(ctx);
    uint32_t n = 0;
    for (size_t i = 0; i < dialer->n_hosts; i++) {
        const struct host_override *h = &dialer->hosts[i];
        const union sockaddr_any *to = (const union sockaddr_any *)&h->addr;
        char text[64];
        if (h->pattern_port)
            continue;
        if (sockaddr_port(to))
            sockaddr_text(to, text, sizeof text);
        else
            sockaddr_ip_text(to, text);
        JSValue pair = JS_NewArray(ctx);
        JS_SetPropertyUint32(ctx, pair, 0, JS_NewStringLen(ctx, h->pattern.ptr, h->pattern.len));
        JS_SetPropertyUint32(ctx, pair, 1, JS_NewString(ctx, text));
        JS_SetPropertyUint32(ctx, list, n++, pair);
    }
    return list;
}

/* info(): where the VU is */
NATIVE(js_info) {
    UNUSED_ARGS;
    const struct vu *vu = vu_from_ctx(ctx);
    const struct dialer_config *dialer = &vu->config->http.dialer;
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, o, "isInit", JS_NewBool(ctx, vu->is_init));
    JS_SetPropertyStr(ctx, o, "type",
                      vu->scenario && vu->scenario->browser_type
                          ? JS_NewString(ctx, vu->scenario->browser_type)
                          : JS_UNDEFINED);
    JS_SetPropertyStr(ctx, o, "vu", JS_NewInt64(ctx, vu->id_global));
    JS_SetPropertyStr(ctx, o, "isV051", JS_NewBool(ctx, compat_is_v051()));
    JS_SetPropertyStr(ctx, o, "isRoot", JS_NewBool(ctx, geteuid() == 0));
    JS_SetPropertyStr(ctx, o, "hosts", hosts_of(ctx, dialer));
    JS_SetPropertyStr(ctx, o, "blocksHosts",
                      JS_NewBool(ctx, dialer->n_blacklist || dialer->n_blocked_hostnames));
    return o;
}

/* Why options forbid a host; heap, NULL when they do not. Yields when it is a name and there are
 * forbidden addresses. */
static char *blocked_host(const struct dialer_config *dialer, struct slice host) {
    const struct slice *pattern = blocked_hostname_find(dialer, host);
    union sockaddr_any address;
    struct error err;
    if (pattern)
        return xasprintf("hostname %.*s matches a blocked pattern \"%.*s\"", SLICE_FMT(host),
                         SLICE_FMT(*pattern));
    if (!dialer->n_blacklist ||
        resolve_host(&dialer->dns, host, clock_now_ns() + LOOKUP_NS, &address, &err))
        return NULL;
    for (size_t i = 0; i < dialer->n_blacklist; i++) {
        char ip[INET6_ADDRSTRLEN], range[INET6_ADDRSTRLEN + 10];
        if (!ip_range_contains(&dialer->blacklist[i], &address))
            continue;
        sockaddr_ip_text(&address, ip);
        ip_range_text(&dialer->blacklist[i], range, sizeof range);
        return xasprintf("IP %s is in a blacklisted range \"%s\"", ip, range);
    }
    return NULL;
}

/* blockedHost(url): why options.blockHostnames or blacklistIPs forbid it, or undefined. Yields. */
NATIVE(js_blocked_host) {
    UNUSED_ARGS;
    const struct dialer_config *dialer = &vu_from_ctx(ctx)->config->http.dialer;
    struct js_text text;
    struct error err;
    struct url url;
    char *why = NULL;
    if (!dialer->n_blacklist && !dialer->n_blocked_hostnames)
        return JS_UNDEFINED;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    if (url_parse(text.s, &url, &err) == 0) {
        why = url.host.len ? blocked_host(dialer, url.host) : NULL;
        url_release(&url);
    }
    js_text_release(&text);
    JSValue v = why ? JS_NewString(ctx, why) : JS_UNDEFINED;
    free(why);
    return v;
}

/* ---------------------------------------------------------------- folders of downloads */

#define FOLDER_PREFIX "k6browser-artifacts-"

/* makeFolder(parent or undefined): a new one in it or in $TMPDIR */
NATIVE(js_make_folder) {
    UNUSED_ARGS;
    const char *tmp = getenv("TMPDIR");
    const char *parent = JS_IsString(argv[0]) ? JS_ToCString(ctx, argv[0]) : NULL;
    char *path = xasprintf("%s/" FOLDER_PREFIX "XXXXXX", parent        ? parent
                                                         : tmp && *tmp ? tmp
                                                                       : "/tmp");
    JS_FreeCString(ctx, parent);
    JSValue r = mkdtemp(path) ? JS_NewString(ctx, path)
                              : file_error(ctx, "cannot make a directory for downloads", path);
    free(path);
    return r;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st, (void)flag, (void)ftw;
    remove(path);
    return 0;
}

/* removeFolder(path): one that makeFolder made */
NATIVE(js_remove_folder) {
    UNUSED_ARGS;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (path && strstr(path, "/" FOLDER_PREFIX))
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    JS_FreeCString(ctx, path);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("launch", 2, js_launch),
    JS_CFUNC_DEF("connect", 2, js_connect),
    JS_CFUNC_DEF("close", 1, js_close),
    JS_CFUNC_DEF("closeAll", 0, js_close_all),
    JS_CFUNC_DEF("isOpen", 1, js_is_open),
    JS_CFUNC_DEF("words", 1, js_words),
    JS_CFUNC_DEF("profile", 1, js_profile),
    JS_CFUNC_DEF("send", 5, js_send),
    JS_CFUNC_DEF("listen", 2, js_listen),
    JS_CFUNC_DEF("poll", 0, js_poll),
    JS_CFUNC_DEF("wakeAt", 1, js_wake_at),
    JS_CFUNC_DEF("now", 0, js_now),
    JS_CFUNC_DEF("pending", 1, js_pending),
    JS_CFUNC_DEF("sample", 3, js_sample),
    JS_CFUNC_DEF("hasTag", 1, js_has_tag),
    JS_CFUNC_DEF("log", 4, js_log),
    JS_CFUNC_DEF("logLevel", 1, js_log_level),
    JS_CFUNC_DEF("logs", 1, js_logs),
    JS_CFUNC_DEF("env", 1, js_env),
    JS_CFUNC_DEF("goError", 1, js_go_error),
    JS_CFUNC_DEF("writeFile", 2, js_write_file),
    JS_CFUNC_DEF("decode", 1, js_decode),
    JS_CFUNC_DEF("encode", 1, js_encode),
    JS_CFUNC_DEF("text", 1, js_text),
    JS_CFUNC_DEF("asset", 1, js_asset),
    JS_CFUNC_DEF("info", 0, js_info),
    JS_CFUNC_DEF("request", 4, browser_request),
    JS_CFUNC_DEF("upload", 5, browser_upload),
    JS_CFUNC_DEF("blockedHost", 1, js_blocked_host),
    JS_CFUNC_DEF("makeFolder", 1, js_make_folder),
    JS_CFUNC_DEF("removeFolder", 1, js_remove_folder),
};

JSValue browser_native_new(JSContext *ctx) {
    JSValue o = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, o, functions, countof(functions));
    return o;
}
