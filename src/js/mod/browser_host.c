/* What js/browser gets of the world around the VU: the log, the environment, files, options. */
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
#include "http/url.h"
#include "js/js_util.h"
#include "js/mod/browser_internal.h"

#define LOOKUP_NS (5 * NS_PER_S)
#define FILE_BYTES_MAX ((size_t)256 << 20)

/* ---------------------------------------------------------------- log and environment */

static enum log_level level_of(struct slice name) {
    enum log_level level = LOG_DEBUG;
    while (level < LOG_ERROR && !slice_eq(name, slice_cstr(log_level_name(level))))
        level++;
    return level;
}

/* log("debug", "info", "warning" or "error", message, browser_source or undefined, category or
 * undefined) */
BROWSER_NATIVE(js_log) {
    BROWSER_UNUSED_ARGS;
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
        if ((int)level >= browser_module_in(ctx)->log_level)
            log_write_always(level, text[1].s, fields, count);
    }
    bool ok = n == 4;
    while (n > 0)
        js_text_release(&text[--n]);
    return ok ? JS_UNDEFINED : JS_EXCEPTION;
}

/* logLevel(name): records of the module below it are not written, whatever the log's own level */
BROWSER_NATIVE(js_log_level) {
    BROWSER_UNUSED_ARGS;
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    browser_module_in(ctx)->log_level = (int)level_of(text.s);
    js_text_release(&text);
    return JS_UNDEFINED;
}

BROWSER_NATIVE(js_logs) {
    BROWSER_UNUSED_ARGS;
    struct js_text text;
    if (!js_text_get(ctx, argv[0], &text))
        return JS_EXCEPTION;
    bool logs = (int)level_of(text.s) >= browser_module_in(ctx)->log_level;
    js_text_release(&text);
    return JS_NewBool(ctx, logs);
}

/* env(name): of the process, as k6 does; undefined when it is not set */
BROWSER_NATIVE(js_env) {
    BROWSER_UNUSED_ARGS;
    const char *name = JS_ToCString(ctx, argv[0]);
    const char *value = name ? getenv(name) : NULL;
    JS_FreeCString(ctx, name);
    return value ? JS_NewString(ctx, value) : JS_UNDEFINED;
}

BROWSER_NATIVE(js_go_error) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_write_file) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_decode) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_text) {
    BROWSER_UNUSED_ARGS;
    const uint8_t *bytes;
    size_t len;
    if (!js_bytes(ctx, argv[0], &bytes, &len))
        return JS_NewString(ctx, "");
    return JS_NewStringLen(ctx, (const char *)bytes, len);
}

/* encode(ArrayBuffer or string): base64 */
BROWSER_NATIVE(js_encode) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_asset) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_info) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_blocked_host) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_make_folder) {
    BROWSER_UNUSED_ARGS;
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
BROWSER_NATIVE(js_remove_folder) {
    BROWSER_UNUSED_ARGS;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (path && strstr(path, "/" FOLDER_PREFIX))
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    JS_FreeCString(ctx, path);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
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

void browser_host_define(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, functions, countof(functions));
}
