#include "js/webcrypto/webcrypto.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "js/go_args.h"

int web_fail(struct web_error *e, const char *name, const char *fmt, ...) {
    va_list ap;
    e->is_set = true;
    e->name = name;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return KE_INVALID;
}

JSValue web_error_value(JSContext *ctx, const struct web_error *e) {
    return go_error_value(ctx, e->name, e->text);
}

void web_params_release(struct web_params *p) {
    buf_release(&p->iv);
    buf_release(&p->additional);
    buf_release(&p->label);
    buf_release(&p->salt);
    buf_release(&p->exponent);
    free(p->curve);
    web_key_unref(p->public_key);
}

static void params_init(struct web_params *p) {
    buf_init(&p->iv, BUF_NO_CAP);
    buf_init(&p->additional, BUF_NO_CAP);
    buf_init(&p->label, BUF_NO_CAP);
    buf_init(&p->salt, BUF_NO_CAP);
    buf_init(&p->exponent, BUF_NO_CAP);
}

struct web_job *web_job_new(JSContext *ctx, enum web_op op) {
    struct web_job *job = xcalloc(1, sizeof *job);
    job->vu = vu_from_ctx(ctx);
    job->op = op;
    job->promise = job->resolve = job->reject = JS_UNDEFINED;
    params_init(&job->params);
    params_init(&job->derived);
    buf_init(&job->data, BUF_NO_CAP);
    buf_init(&job->signature, BUF_NO_CAP);
    buf_init(&job->out, BUF_NO_CAP);
    return job;
}

static void job_free(struct web_job *job) {
    JSContext *ctx = job->vu->ctx;
    JS_FreeValue(ctx, job->resolve);
    JS_FreeValue(ctx, job->reject);
    web_params_release(&job->params);
    web_params_release(&job->derived);
    web_key_unref(job->key);
    web_key_unref(job->result);
    web_key_unref(job->result_public);
    web_usages_release(&job->usages);
    web_jwk_release(&job->jwk);
    buf_release(&job->data);
    buf_release(&job->signature);
    buf_release(&job->out);
    free(job->format_name);
    free(job);
}

static JSValue take_key(JSContext *ctx, struct web_key **key) {
    struct web_key *k = *key;
    *key = NULL;
    return web_key_object(ctx, k);
}

static JSValue result_value(JSContext *ctx, struct web_job *job) {
    if (job->op == WEB_VERIFY)
        return JS_NewBool(ctx, job->verdict);
    if (job->result_public) {
        JSValue pair = JS_NewObject(ctx);
        JS_SetPropertyStr(ctx, pair, "privateKey", take_key(ctx, &job->result));
        JS_SetPropertyStr(ctx, pair, "publicKey", take_key(ctx, &job->result_public));
        return pair;
    }
    if (job->result)
        return take_key(ctx, &job->result);
    if (job->is_json)
        return JS_ParseJSON(ctx, buf_cstr(&job->out), job->out.len, "jwk");
    return JS_NewArrayBufferCopy(ctx, (const uint8_t *)job->out.ptr, job->out.len);
}

static void settle(struct web_job *job) {
    JSContext *ctx = job->vu->ctx;
    JSValue v = job->error.is_set ? web_error_value(ctx, &job->error) : result_value(ctx, job);
    JSValueConst fn = job->error.is_set ? job->reject : job->resolve;
    if (JS_IsException(v)) {
        v = JS_GetException(ctx);
        fn = job->reject;
    }
    JS_FreeValue(ctx, JS_Call(ctx, fn, JS_UNDEFINED, 1, (JSValueConst *)&v));
    JS_FreeValue(ctx, v);
}

static void complete(struct vu *vu, struct js_completion *c) {
    struct web_job *job = container_of(c, struct web_job, completion);
    settle(job);
    job_free(job);
    js_loop_pending_done(vu);
}

static void on_work(uv_work_t *work) {
    struct web_job *job = container_of(work, struct web_job, work);
    job->run(job);
}

static void on_worked(uv_work_t *work, int status) {
    struct web_job *job = container_of(work, struct web_job, work);
    if (status != 0)
        web_fail(&job->error, "OperationError", "%s", uv_strerror(status));
    js_loop_complete(job->vu, &job->completion);
}

JSValue web_job_start(JSContext *ctx, struct web_job *job) {
    JSValue resolving[2];
    if (JS_HasException(ctx)) {
        job_free(job);
        return JS_EXCEPTION;
    }
    JSValue promise = JS_NewPromiseCapability(ctx, resolving);
    if (JS_IsException(promise)) {
        job_free(job);
        return promise;
    }
    job->resolve = resolving[0];
    job->reject = resolving[1];
    if (job->error.is_set) {
        settle(job);
        job_free(job);
        return promise;
    }
    job->completion.run = complete;
    js_loop_pending_add(job->vu);
    if (job->is_slow &&
        uv_queue_work(worker_uv(job->vu->worker), &job->work, on_work, on_worked) == 0)
        return promise;
    job->run(job);
    js_loop_complete(job->vu, &job->completion);
    return promise;
}
