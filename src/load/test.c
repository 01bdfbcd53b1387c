#include "load/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/compat.h"
#include "base/go_text.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/memory.h"
#include "js/js_alloc.h"
#include "load/scenario.h"

void test_init(struct test *t) {
    *t = (struct test){0};
    arena_init(&t->arena);
    map_init(&t->run_tags);
    options_init(&t->script_options);
}

void test_release(struct test *t) {
    threshold_set_release(&t->thresholds);
    execution_plan_release(&t->plan);
    tls_config_free(t->tls);
    script_free(t->script);
    dependencies_release(&t->dependencies);
    map_release(&t->run_tags);
    failure_release(&t->abort_failure);
    arena_release(&t->arena);
}

/* ---- loading */

/* One part in so many of the available memory is kept from the JavaScript heaps, for everything
 * else. */
#define HEAP_RESERVE 5

static void abort_in_init(void *arg, const char *reason) {
    struct test *t = arg;
    failure_set(&t->abort_failure, EXIT_CODE_SCRIPT_ABORTED, NULL, "%s", reason);
}

/* k6's words for what went wrong before there were options. */
static int init_failure(struct test *t, int code, struct failure *f) {
    const char *text = vu_last_error_text();
    if (failure_is_set(&t->abort_failure)) {
        failure_take_first(f, &t->abort_failure);
        return f->exit_code;
    }
    if (code == KE_JS)
        return failure_set_exception(f, text);
    failure_set(f, code == KE_INVALID ? EXIT_CODE_SCRIPT_EXCEPTION : EXIT_CODE_GENERIC, NULL,
                "could not initialize '%s': could not load JS test '%s': %s", t->path,
                script_url(t->script), text);
    return f->exit_code;
}

static int run_vu0(struct test *t, struct failure *f) {
    struct error err = {0};
    struct vu_params params = {.config = &t->vu_config};
    struct vu *vu = vu_new(&params, &err);
    if (vu == NULL)
        return init_failure(t, err.code, f);
    script_freeze(t->script);
    vu_free(vu);
    return 0;
}

static int bad_exports(struct test *t, struct failure *f, const char *problem) {
    return failure_set(f, EXIT_CODE_GENERIC, NULL,
                       "could not initialize '%s': could not load JS test '%s': %s", t->path,
                       script_url(t->script), problem);
}

static int check_exports(struct test *t, struct failure *f) {
    const struct script_exports *exports = script_exports(t->script);
    size_t functions = 0;
    for (size_t i = 0; i < exports->len; i++) {
        const char *name = exports->items[i].name;
        bool is_function = exports->items[i].is_function;
        if (strcmp(name, "options") == 0)
            continue;
        functions += is_function;
        if (!is_function && strcmp(name, "setup") == 0)
            return bad_exports(t, f, "exported 'setup' must be a function");
        if (!is_function && strcmp(name, "teardown") == 0)
            return bad_exports(t, f, "exported 'teardown' must be a function");
    }
    return functions > 0 ? 0 : bad_exports(t, f, "no exported functions in script");
}

static int read_options(struct test *t, const char *json, struct failure *f) {
    struct error err = {0};
    const char *unknown;
    if (json == NULL)
        return 0;
    if (options_from_json(&t->arena, slice_cstr(json), true, &t->script_options, &unknown, &err) !=
        0)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                           "could not initialize '%s': could not load JS test '%s': %s", t->path,
                           script_url(t->script), err.text);
    if (*unknown) {
        const char *what = arena_printf(&t->arena, "json: unknown field \"%s\"", unknown);
        log_fields(LOG_WARN,
                   SLICE("There were unknown fields in the options exported in the script"),
                   LOG_STR("error", what));
    }
    return 0;
}

static bool checks_versions(void) {
    const char *text = getenv("K6_AUTO_EXTENSION_RESOLUTION");
    static const char *const no[] = {"false", "0", "f", "F", "FALSE", "False"};
    for (size_t i = 0; text && i < countof(no); i++) {
        if (strcmp(text, no[i]) == 0)
            return false;
    }
    return true;
}

/* k6 would look for another binary; modules that are not known at all are told by the loader. */
static int on_linked(void *arg, struct script *s, char **out_text) {
    struct test *t = arg;
    struct error err;
    struct buf all, quoted;
    if (compat_is_v051() && !t->only_imports)
        return 0;
    if (dependencies_collect(&t->dependencies, s, getenv("K6_DEPENDENCIES_MANIFEST"), &err)) {
        *out_text = xstrdup(err.text);
        return KE_CONFIG;
    }
    if (t->only_imports) {
        *out_text = xstrdup("");
        return KE_CONFIG;
    }
    if (!checks_versions() || dependencies_are_satisfied(&t->dependencies, false))
        return 0;
    buf_init(&all, BUF_NO_CAP);
    buf_init(&quoted, BUF_NO_CAP);
    dependencies_print(&t->dependencies, &all);
    go_quote(&quoted, buf_slice(&all));
    *out_text = xasprintf("binary does not satisfy dependencies %s: kiln is like k6 %s; "
                          "K6_AUTO_EXTENSION_RESOLUTION=false runs the script all the same",
                          buf_cstr(&quoted), compat_text(COMPAT_K6_VERSION));
    buf_release(&all);
    buf_release(&quoted);
    return KE_INVALID;
}

int test_load(struct test *t, const struct test_source *source, struct failure *f) {
    struct error err = {0};
    struct script_config cfg = {.path = source->archive_url != NULL ? source->archive_url
                                                                    : source->path,
                                .source = source->source,
                                .cwd = source->cwd,
                                .pwd = source->archive_pwd,
                                .env = source->env,
                                .is_extended = source->is_extended,
                                .is_web = source->is_web,
                                .is_env_frozen = source->is_env_frozen,
                                .files = source->files,
                                .on_linked = on_linked,
                                .on_linked_arg = t};
    size_t available = memory_available_bytes();
    js_alloc_set_limit(available - available / HEAP_RESERVE);
    t->path = source->title != NULL ? source->title : source->path;
    t->only_imports = source->only_imports;
    t->script = script_load(&cfg, &err);
    if (t->script == NULL)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    t->init_instance.abort_test = abort_in_init;
    t->init_instance.arg = t;
    t->vu_config = (struct vu_config){.script = t->script,
                                      .instance = &t->init_instance,
                                      .system_tags = SYSTEM_TAGS_DEFAULT,
                                      .http_timeout_ns = 60 * NS_PER_S,
                                      .max_redirects = 10,
                                      .batch = 20,
                                      .batch_per_host = 6};
    int rc = run_vu0(t, f);
    if (rc == 0)
        rc = check_exports(t, f);
    if (rc == 0)
        rc = read_options(t,
                          source->archive_options_json != NULL
                              ? source->archive_options_json
                              : script_exports(t->script)->options_json,
                          f);
    return rc;
}

/* ---- consolidating */

static void merge_tier(struct test *t, const struct options *tier, const char *name) {
    if (options_drop_scenarios(&t->consolidated, tier) && !compat_is_v051())
        log_printf(LOG_WARN, "\"%s\" level configuration overrode scenarios configuration entirely",
                   name);
    options_merge(&t->arena, &t->consolidated, tier);
}

static void merge_tags(struct test *t, const struct test_tiers *tiers) {
    const struct options *all[] = {tiers->file, &t->script_options, tiers->env, tiers->cli};
    struct opt_map merged = {0};
    for (size_t i = 0; i < countof(all); i++)
        for (size_t k = 0; k < all[i]->tags.len; k++)
            option_map_set(&t->arena, &merged, slice_cstr(all[i]->tags.items[k].key),
                           slice_cstr(all[i]->tags.items[k].value));
    t->consolidated.tags = merged;
}

int test_consolidate(struct test *t, const struct test_tiers *tiers, struct failure *f) {
    struct error err = {0};
    options_init(&t->consolidated);
    options_merge(&t->arena, &t->consolidated, tiers->cli);
    options_merge(&t->arena, &t->consolidated, tiers->file);
    merge_tier(t, &t->script_options, "script");
    merge_tier(t, tiers->env, "env");
    merge_tier(t, tiers->cli, "cli");
    if (tiers->merge_tags)
        merge_tags(t, tiers);
    /* The two defaults that count as set from here on. */
    t->consolidated.system_tags.is_set = true;
    t->consolidated.summary_trend_stats.is_set = true;
    for (size_t i = 0; i < t->consolidated.summary_trend_stats.len; i++) {
        struct trend_stat ignored;
        if (trend_stat_parse(slice_cstr(t->consolidated.summary_trend_stats.items[i]), &ignored,
                             &err) != 0)
            return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    }
    t->has_thresholds = !tiers->no_thresholds;
    return 0;
}

/* ---- deriving */

static int bind_threshold(struct test *t, const char *metric, const struct threshold_def *def,
                          struct error *err) {
    struct threshold *item = &t->thresholds.items[t->thresholds.len++];
    int rc = threshold_parse(slice_cstr(def->source), item, err);
    item->abort_on_fail = def->abort_on_fail;
    item->delay_abort_ns = def->delay_abort.is_set ? def->delay_abort.ns : 0;
    return rc != 0 ? rc : threshold_bind(item, slice_cstr(metric), err);
}

int test_bind_thresholds(struct test *t, struct failure *f) {
    const struct opt_thresholds *defs = &t->consolidated.thresholds;
    struct error err = {0};
    size_t n = 0;
    for (size_t i = 0; i < defs->len; i++)
        n += defs->items[i].len;
    t->thresholds.items = xcalloc(n + 1, sizeof *t->thresholds.items);
    for (size_t i = 0; i < defs->len; i++)
        for (size_t k = 0; k < defs->items[i].len; k++)
            if (bind_threshold(t, defs->items[i].metric, &defs->items[i].items[k], &err) != 0)
                return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
    return 0;
}

static void warn(void *arg, const char *text) {
    (void)arg;
    log_write(LOG_WARN, slice_cstr(text), NULL, 0);
}

static bool is_exported(void *arg, const char *name) {
    return script_exports_function(((struct test *)arg)->script, name);
}

static int validate(struct test *t, struct failure *f) {
    struct buf problems;
    buf_init(&problems, BUF_NO_CAP);
    if (!options_validate(&t->derived, is_exported, t, &problems))
        failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL,
                    "There were problems with the specified script configuration:\n%s",
                    buf_cstr(&problems));
    buf_release(&problems);
    return f->exit_code;
}

int test_derive(struct test *t, struct failure *f) {
    struct error err = {0};
    int rc = t->has_thresholds ? test_bind_thresholds(t, f) : 0;
    if (rc != 0)
        return rc;
    t->derived = t->consolidated;
    if (options_derive(&t->arena, &t->derived, warn, NULL, &err) != 0)
        return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
    rc = validate(t, f);
    if (rc != 0)
        return rc;
    const struct options *o = &t->derived;
    if (execution_tuple_init(
            &t->arena, o->execution_segment.is_set ? &o->execution_segment.value : NULL,
            o->execution_segment_sequence.is_set ? &o->execution_segment_sequence.value : NULL,
            &t->tuple, &err) != 0)
        return failure_set(f, EXIT_CODE_GENERIC, NULL, "%s", err.text);
    execution_plan_init(&t->plan, o, &t->tuple);
    return 0;
}

/* ---- what VUs get */

static const char *export_options(struct test *t, enum options_export how) {
    struct json_writer w;
    struct buf text;
    buf_init(&text, BUF_NO_CAP);
    json_write_init(&w, &text, NULL, false);
    options_export(&w, &t->derived, how);
    const char *copy = arena_strndup(&t->arena, text.ptr, text.len);
    buf_release(&text);
    return copy;
}

int test_make_vu_config(struct test *t, struct failure *f) {
    const struct options *o = &t->derived;
    struct vu_config *c = &t->vu_config;
    struct error err = {0};
    int rc = test_make_http_config(t, &c->http, f);
    if (rc != 0)
        return rc;
    if (o->local_ips.is_set) {
        t->has_local_ips = true;
        if (option_ip_pool_parse(&t->arena, slice_cstr(o->local_ips.value), &t->local_ips, &err) !=
            0)
            return failure_set(f, EXIT_CODE_INVALID_CONFIG, NULL, "%s", err.text);
    }
    for (size_t i = 0; i < o->tags.len; i++)
        map_set(&t->run_tags, slice_cstr(o->tags.items[i].key), (void *)o->tags.items[i].value);
    c->run_tags = &t->run_tags;
    c->options_json = export_options(t, OPTIONS_EXPORT_EXECUTION);
    c->derived_options_json = export_options(t, OPTIONS_EXPORT_SPECIFIED);
    c->system_tags = o->system_tags.bits;
    c->max_redirects = (int)o->max_redirects.value;
    c->max_redirects_is_default = !o->max_redirects.is_set;
    c->batch = (int)o->batch.value;
    c->batch_per_host = (int)o->batch_per_host.value;
    c->rps = o->rps.value > 0 ? (double)o->rps.value : 0;
    c->throw_errors = o->throw_errors.value;
    c->discard_response_bodies = o->discard_response_bodies.value;
    c->no_cookies_reset = o->no_cookies_reset.value;
    c->no_vu_connection_reuse = o->no_vu_connection_reuse.value;
    if (*o->http_debug.value)
        c->http_debug = strcmp(o->http_debug.value, "full") == 0 ? "full" : "headers";
    if (o->system_tags.bits & TAG_EXPECTED_RESPONSE)
        metric_submetric(SLICE("http_req_duration{expected_response:true}"), NULL);
    return 0;
}
