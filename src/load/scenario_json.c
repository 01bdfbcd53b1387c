#include "base/check.h"
#include "load/json_reader.h"
#include "load/scenario.h"

static void read_browser_type(struct json_reader *r, const json_t *options, struct scenario *s) {
    const json_t *browser = json_member(options, "browser");
    const json_t *type = browser ? json_member(browser, "type") : NULL;
    if (json_is_string(type))
        s->browser_type =
            arena_strndup(r->arena, json_string_value(type), json_string_length(type));
}

/* 1 when key is no base field. */
static int read_base_field(struct json_reader *r, struct scenario *s, struct slice key,
                           const json_t *v) {
    if (slice_ieq(key, SLICE("executor")))
        return 0;
    if (slice_ieq(key, SLICE("startTime")))
        return json_read_duration(r, v, &s->start_time);
    if (slice_ieq(key, SLICE("gracefulStop")))
        return json_read_duration(r, v, &s->graceful_stop);
    if (slice_ieq(key, SLICE("env")))
        return json_read_map(r, v, &s->env, true);
    if (slice_ieq(key, SLICE("exec")))
        return json_read_text(r, v, &s->exec);
    if (slice_ieq(key, SLICE("tags")))
        return json_read_map(r, v, &s->tags, true);
    if (slice_ieq(key, SLICE("options"))) {
        if (!json_is_object(v))
            return json_type_error(r, v, "lib.ScenarioOptions", true);
        read_browser_type(r, v, s);
        return json_read_raw(r, v, &s->options);
    }
    return 1;
}

static int read_own_field(struct json_reader *r, struct scenario *s, struct slice key,
                          const json_t *v) {
    for (const struct scenario_field *f = scenario_fields(s->type); f->key != NULL; f++) {
        void *field = (char *)s + f->offset;
        if (!slice_ieq(key, slice_cstr(f->key)))
            continue;
        switch (f->kind) {
        case FIELD_INT:
            return json_read_int(r, v, field);
        case FIELD_DURATION:
            return json_read_duration(r, v, field);
        case FIELD_STAGES:
            return json_read_stages(r, v, field, true);
        }
    }
    return json_fail(r, "json: unknown field \"%.*s\"", SLICE_FMT(key));
}

static int read_fields(struct json_reader *r, const json_t *v, struct scenario *s) {
    size_t n;
    const char **keys = json_sorted_keys(r, v, &n), *outer = r->field;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const json_t *item = json_object_get(v, keys[i]);
        struct slice key = slice_cstr(keys[i]);
        if (json_is_null(item))
            continue;
        r->field = arena_printf(r->arena, "%s.%s", outer, keys[i]);
        rc = read_base_field(r, s, key, item);
        if (rc == 1)
            rc = read_own_field(r, s, key, item);
        r->field = outer;
    }
    return rc;
}

static int read_scenario(struct json_reader *r, const char *name, const json_t *v,
                         struct scenario *out) {
    const json_t *executor = json_is_object(v) ? json_member(v, "executor") : NULL;
    enum executor_type type;
    name = arena_strndup(r->arena, name, strlen(name));
    if (!json_is_object(v) && !json_is_null(v))
        return json_type_error(r, v, "struct { ExecutorType string \"json:\\\"executor\\\"\" }",
                               true);
    if (executor != NULL && !json_is_string(executor)) {
        r->field = "scenarios.executor";
        return json_type_error(r, executor, "string", true);
    }
    if (executor == NULL || json_string_length(executor) == 0)
        return json_fail(r, "scenario '%s' doesn't have a specified executor type", name);
    if (!executor_type_parse(slice_cstr(json_string_value(executor)), &type))
        return json_fail(r, "unknown executor type '%s'", json_string_value(executor));
    scenario_init(out, name, type);
    int rc = read_fields(r, v, out);
    if (type == EXECUTOR_EXTERNALLY_CONTROLLED && !out->max_vus.is_set)
        out->max_vus = out->vus; /* k6 does so here, and shows it in inspect */
    return rc;
}

int json_read_scenarios(struct json_reader *r, const json_t *v, struct opt_scenarios *out) {
    size_t n;
    if (!json_is_object(v))
        return json_type_error(r, v, "map[string]lib.protoExecutorConfig", true);
    const char **names = json_sorted_keys(r, v, &n);
    *out = (struct opt_scenarios){arena_alloc(r->arena, (n + 1) * sizeof *out->items), 0, true};
    for (size_t i = 0; i < n; i++) {
        /* A scenario with a type error is left half read: the error is reported in the end. */
        struct scenario *s = &out->items[i];
        scenario_init(s, names[i], EXECUTOR_SHARED_ITERATIONS);
        out->len++;
        int rc = read_scenario(r, names[i], json_object_get(v, names[i]), s);
        if (rc != 0)
            return rc;
    }
    return 0;
}
