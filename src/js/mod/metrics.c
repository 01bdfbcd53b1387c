#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/utf8.h"
#include "js/js_util.h"
#include "js/mod.h"
#include "js/vu_tags.h"
#include "metrics/metric.h"

/* The series that add() used last, by metric id. */
struct memo {
    const struct tagset *tags;
    struct shard *shard;
    struct series *series;
};
struct metrics_state {
    struct memo *memos;
    uint32_t len;
};

static struct memo *memo_of(struct vu *vu, uint32_t id) {
    struct metrics_state *st = vu->module_state[JS_SLOT_METRICS];
    if (id >= st->len) {
        st->memos = xrealloc(st->memos, (id + 1) * sizeof *st->memos);
        for (; st->len <= id; st->len++)
            st->memos[st->len] = (struct memo){0};
    }
    return &st->memos[id];
}

static void record(struct vu *vu, struct metric *m, const struct tagset *tags, double value) {
    if (!vu->shard || vu->is_interrupted)
        return;
    struct memo *memo = memo_of(vu, m->id);
    if (memo->tags != tags || memo->shard != vu->shard) {
        memo->series = shard_series(vu->shard, m, tags);
        memo->tags = tags;
        memo->shard = vu->shard;
    }
    vu_sample_series(vu, memo->series, value, clock_now_ns());
}

/* A long value is shown with its middle left out. */
static void put_limited(struct buf *out, struct slice s) {
    const size_t max = 100;
    size_t len = utf8_length(s);
    if (len < max) {
        buf_append_slice(out, s);
        return;
    }
    size_t head = utf8_prefix_bytes(s, max / 2), tail = utf8_prefix_bytes(s, len - max / 2);
    buf_append(out, s.ptr, head);
    buf_printf(out, "... omitting %zu characters ...", len - max);
    buf_append(out, s.ptr + tail, s.len - tail);
}

/* With options.throw a bad value is an exception, otherwise a warning and false. */
static JSValue refuse(struct vu *vu, const char *text) {
    if (vu->config->throw_errors)
        return js_throw_go_error(vu->ctx, "%s", text);
    log_write(LOG_WARN, slice_cstr(text), NULL, 0);
    return JS_FALSE;
}

static JSValue refuse_value(struct vu *vu, const struct metric *m, JSValueConst v) {
    struct js_text text;
    struct buf b;
    if (!js_text_get(vu->ctx, v, &text))
        return JS_EXCEPTION;
    buf_init(&b, BUF_NO_CAP);
    buf_append_char(&b, '\'');
    put_limited(&b, text.s);
    buf_printf(&b, "' is an invalid value for metric '%s', a number or a boolean value is expected",
               m->name);
    JSValue ret = refuse(vu, buf_cstr(&b));
    buf_release(&b);
    js_text_release(&text);
    return ret;
}

static JSValue js_add(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int id,
                      JSValue *data) {
    (void)this_val;
    (void)data;
    struct vu *vu = vu_from_ctx(ctx);
    struct metric *m = metric_by_id((uint16_t)id);
    double value;
    if (!js_require_vu_context(vu, "Adding to metrics in the init context is not supported"))
        return JS_EXCEPTION;
    if (argc < 1) {
        char *text = xasprintf(
            "no value was provided for metric '%s', a number or a boolean value is expected",
            m->name);
        JSValue ret = refuse(vu, text);
        free(text);
        return ret;
    }
    if (JS_IsNull(argv[0]))
        return refuse_value(vu, m, argv[0]);
    if (JS_ToFloat64(ctx, &value, argv[0]))
        return JS_EXCEPTION;
    if (value == 0 && JS_ToBool(ctx, argv[0]))
        value = 1;
    if (isnan(value))
        return refuse_value(vu, m, argv[0]);
    const struct tagset *tags = vu->tags;
    if (argc > 1) {
        char *bad;
        int rc = js_tags_add(vu, &tags, argv[1], &bad);
        if (rc == KE_INVALID)
            js_throw_go_error(ctx, "cannot add tags for the '%s' custom metric: %s", m->name, bad);
        free(bad);
        if (rc)
            return JS_EXCEPTION;
    }
    record(vu, m, tags, value);
    return JS_TRUE;
}

static JSValue js_new_metric(JSContext *ctx, JSValueConst new_target, int argc, JSValueConst *argv,
                             int type) {
    (void)new_target;
    struct vu *vu = vu_from_ctx(ctx);
    struct js_text name = {.s = SLICE("")};
    struct error err;
    if (!vu->is_init)
        return js_throw_go_error(ctx, "metrics must be declared in the init context");
    if (argc > 0 && !JS_IsUndefined(argv[0]) && !JS_IsNull(argv[0]) &&
        !js_text_get(ctx, argv[0], &name))
        return JS_EXCEPTION;
    bool is_time = argc > 1 && JS_ToBool(ctx, argv[1]) > 0;
    struct metric *m = metric_register(name.s, (enum metric_type)type,
                                       is_time ? METRIC_TIME : METRIC_DEFAULT, &err);
    JSValue o = JS_EXCEPTION;
    if (m) {
        o = JS_NewObject(ctx);
        JS_DefinePropertyValueStr(ctx, o, "name", JS_NewStringLen(ctx, name.s.ptr, name.s.len),
                                  JS_PROP_ENUMERABLE);
        JS_DefinePropertyValueStr(
            ctx, o, "add", JS_NewCFunctionData(ctx, js_add, 2, (int)m->id, 0, NULL), JS_PROP_C_W_E);
    } else {
        js_throw_go_error(ctx, "%s", err.text);
    }
    if (name.ctx)
        js_text_release(&name);
    return o;
}

static const struct {
    const char *name;
    enum metric_type type;
} classes[] = {{"Counter", METRIC_COUNTER},
               {"Gauge", METRIC_GAUGE},
               {"Rate", METRIC_RATE},
               {"Trend", METRIC_TREND}};

static int declare(JSContext *ctx, JSModuleDef *m) {
    int rc = 0;
    for (size_t i = 0; i < countof(classes); i++)
        rc |= JS_AddModuleExport(ctx, m, classes[i].name);
    return rc;
}

static int init(JSContext *ctx, JSModuleDef *m) {
    struct vu *vu = vu_from_ctx(ctx);
    if (!vu->module_state[JS_SLOT_METRICS])
        vu->module_state[JS_SLOT_METRICS] = xcalloc(1, sizeof(struct metrics_state));
    for (size_t i = 0; i < countof(classes); i++) {
        JSValue f = JS_NewCFunctionMagic(ctx, js_new_metric, classes[i].name, 1,
                                         JS_CFUNC_constructor_or_func_magic, (int)classes[i].type);
        if (JS_SetModuleExport(ctx, m, classes[i].name, f) < 0)
            return -1;
    }
    return 0;
}

static void module_free(struct vu *vu) {
    struct metrics_state *st = vu->module_state[JS_SLOT_METRICS];
    if (!st)
        return;
    free(st->memos);
    free(st);
    vu->module_state[JS_SLOT_METRICS] = NULL;
}

const struct js_module js_mod_metrics = {
    .specifier = "k6/metrics", .declare = declare, .init = init, .free = module_free};
