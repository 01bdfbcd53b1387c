/* /v1/status */
#include "api/api_internal.h"
#include "api/envelope.h"

#include "base/compat.h"
#include "js/json_error.h"
#include "load/control.h"
#include "base/go_parse.h"
#include "load/jansson_read.h"
#include "load/json_reader.h"

struct patch {
    bool is_stopped;
    bool has_paused, is_paused;
    bool has_vus, has_max_vus;
    int64_t vus, max_vus;
};

/* ---- what is asked for: Go's rules and words for reading JSON */

static const char *go_kind(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "number";
    default:
        return "bool";
    }
}

/* The envelopes: an object, or nothing. */
static int read_object(const json_t *v, const char *where, const char *type, struct error *err) {
    if (v == NULL || json_is_null(v) || json_is_object(v))
        return 0;
    return error_set(err, KE_INVALID, "json: cannot unmarshal %s into Go %s of type %s", go_kind(v),
                     where, type);
}

static int read_nullable_bool(const json_t *v, bool *has, bool *out, struct error *err) {
    if (v == NULL || json_is_null(v))
        return 0;
    if (!json_is_boolean(v))
        return error_set(err, KE_INVALID,
                         "json: cannot unmarshal %s into Go value of type null.Bool",
                         json_is_number(v)   ? "float64"
                         : json_is_string(v) ? "string"
                                             : "");
    *has = true;
    *out = json_is_true(v);
    return 0;
}

static int read_number(const json_t *v, int64_t *out, struct error *err) {
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return 0;
    }
    return error_set(err, KE_INVALID,
                     "json: cannot unmarshal number %.15g into Go value of type int64",
                     json_real_value(v));
}

static int read_nullable_int(const json_t *v, bool *has, int64_t *out, struct error *err) {
    if (v == NULL || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0))
        return 0;
    *has = true;
    if (json_is_string(v))
        return go_parse_int(slice_from(json_string_value(v), json_string_length(v)), 10, out, err);
    if (json_is_number(v))
        return read_number(v, out, err);
    return error_set(err, KE_INVALID, "json: cannot unmarshal %s into Go value of type null.Int",
                     json_is_boolean(v) ? "bool" : "");
}

static int read_attributes(const json_t *v, struct patch *out, struct error *err) {
    int rc = read_object(v, "struct field statusData.data.attributes", "v1.Status", err);
    if (rc != 0 || !json_is_object(v))
        return rc;
    const json_t *stopped = json_member(v, "stopped");
    rc = read_nullable_bool(json_member(v, "paused"), &out->has_paused, &out->is_paused, err);
    if (rc == 0)
        rc = read_nullable_int(json_member(v, "vus"), &out->has_vus, &out->vus, err);
    if (rc == 0)
        rc = read_nullable_int(json_member(v, "vus-max"), &out->has_max_vus, &out->max_vus, err);
    if (rc == 0 && stopped != NULL && !json_is_boolean(stopped))
        rc = error_set(err, KE_INVALID,
                       "json: cannot unmarshal %s into Go struct field "
                       "Status.data.attributes.stopped of type bool",
                       go_kind(stopped));
    out->is_stopped = stopped != NULL && json_is_true(stopped);
    return rc;
}

static int read_envelope(const json_t *root, struct patch *out, struct error *err) {
    int rc = read_object(root, "value", "v1.StatusJSONAPI", err);
    if (rc != 0 || !json_is_object(root))
        return rc;
    const json_t *data = json_member(root, "data");
    rc = read_object(data, "struct field StatusJSONAPI.data", "v1.statusData", err);
    return rc != 0 || data == NULL ? rc
                                   : read_attributes(json_member(data, "attributes"), out, err);
}

static int read_patch(struct slice body, struct patch *out, struct error *err) {
    struct json_syntax_error syntax;
    json_error_t why;
    if (!json_valid(body, &syntax))
        return error_set(err, KE_INVALID, "%s", syntax.text);
    json_t *root = json_loadb(body.ptr, body.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (root == NULL)
        return error_set(err, KE_INVALID, "json: %s", why.text);
    int rc = read_envelope(root, out, err);
    json_decref(root);
    return rc;
}

/* ---- what is */

static bool is_tainted(const struct run *run) {
    const struct threshold_set *set = run->config.thresholds;
    for (size_t i = 0; set != NULL && i < set->len; i++)
        if (set->items[i].has_failed)
            return true;
    return false;
}

static void put_bool(struct json_writer *w, const char *key, bool value) {
    json_key(w, key);
    json_bool(w, value);
}

static void put_int(struct json_writer *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

static void write_attributes(struct json_writer *w, const struct api *api) {
    struct run *run = api->run;
    bool has_started = run != NULL && atomic_load(&run->instance.start_ns) != 0;
    put_int(w, "status", run != NULL ? atomic_load(&run->status) : RUN_CREATED);
    put_bool(w, "paused", run != NULL && atomic_load(&run->is_paused));
    put_int(w, "vus", run != NULL ? atomic_load(&run->instance.vus_active) : 0);
    put_int(w, "vus-max", run != NULL ? atomic_load(&run->instance.vus_initialized) : 0);
    put_bool(w, "stopped", run != NULL ? run->is_aborted : api->is_stopped);
    put_bool(w, "running", has_started && run->end_ns == 0);
    put_bool(w, "tainted", run != NULL && is_tainted(run));
}

static void answer_status(struct api_call *call) {
    struct json_writer w;
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    envelope_begin(&w, &body, "status", "default");
    write_attributes(&w, call->api);
    envelope_end(&w);
    api_answer(call, 200, API_JSON, &body);
    buf_release(&body);
}

void api_get_status(struct api_call *call) {
    answer_status(call);
}

/* ---- changes */

void api_stop_run(struct run *run) {
    struct failure f = {0};
    failure_set(&f, EXIT_CODE_STOPPED_BY_API, NULL, "test run stopped from REST API");
    run_abort(run, &f);
}

/* There is no run yet: what can be done later is noted. */
static void note_patch(struct api_call *call, const struct patch *patch) {
    struct api *api = call->api;
    if (!patch->is_stopped && (patch->has_vus || patch->has_max_vus)) {
        api_answer_error(call, 503, "Execution config error", "the test is being loaded");
        return;
    }
    if (!patch->is_stopped && patch->has_paused && patch->is_paused) {
        api_answer_error(call, 503, "Pause error", "the test is being loaded");
        return;
    }
    api->is_stopped |= patch->is_stopped;
    api->is_resumed |= patch->has_paused && !patch->is_stopped;
    answer_status(call);
}

/* False: the call was answered with an error. */
static bool apply(struct api_call *call, const struct patch *patch) {
    struct run *run = call->api->run;
    struct error err = {0};
    if (patch->is_stopped) {
        api_stop_run(run);
        return true;
    }
    if (patch->has_paused && run_set_paused(run, patch->is_paused, &err) != 0) {
        api_answer_error(call, 500, "Pause error", err.text);
        return false;
    }
    if (!patch->has_vus && !patch->has_max_vus)
        return true;
    if (!run_can_scale(run)) {
        api_answer_error(call, 500, "Execution config error", compat_text(COMPAT_SCALE_REFUSED));
        return false;
    }
    if (run_scale(run, patch->has_vus ? &patch->vus : NULL,
                  patch->has_max_vus ? &patch->max_vus : NULL, &err) != 0) {
        api_answer_error(call, 400, "Config update error", err.text);
        return false;
    }
    return true;
}

void api_patch_status(struct api_call *call) {
    struct patch patch = {0};
    struct error err = {0};
    if (read_patch(server_request_body(call->request), &patch, &err) != 0)
        api_answer_error(call, 400, "Invalid data", err.text);
    else if (call->api->run == NULL)
        note_patch(call, &patch);
    else if (apply(call, &patch))
        answer_status(call);
}
