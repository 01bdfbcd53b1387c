/* A test before it runs: its script, loaded and initialised once, and its options, consolidated
 * from all tiers, derived and validated. What `run`, `inspect` and `archive` have in common.
 *
 *     test_init(&t);
 *     test_load(&t, &source, &failure);              VU 0 runs the init code; t.script_options
 *     test_consolidate(&t, &tiers, &failure);        t.consolidated
 *     test_derive(&t, &failure);                     t.derived, t.tuple, t.plan, t.thresholds
 *     test_make_vu_config(&t, &failure);             t.vu_config, for run_new
 *     test_release(&t);
 *
 * Main thread; test_load on a fiber of its worker. Each step returns 0 or the failure's exit code.
 */
#pragma once

#include "js/vu.h"
#include "load/dependencies.h"
#include "load/failure.h"
#include "load/option_parse.h"
#include "load/requirements.h"
#include "metrics/threshold.h"

struct test_source {
    const char *path;    /* as on the command line */
    const char *title;   /* what messages call it; NULL = path */
    struct slice source; /* for "-" and URLs; ptr NULL = to be read */
    const char *cwd;
    const struct map *env; /* __ENV: name -> char *; outlives the test */
    bool is_extended;      /* compatibility mode */
    bool is_web;
    bool is_env_frozen; /* scripts cannot change __ENV */
    /* Archives: URL of the main script, all files and the options; NULL otherwise. */
    const char *archive_url, *archive_pwd; /* the latter may be NULL */
    const struct map *files;
    const char *archive_options_json;
    bool only_imports; /* the load ends, with a failure, when test.dependencies is collected */
};

struct test_tiers {
    const struct options *file, *env, *cli; /* cli also brings the defaults */
    bool no_thresholds;
    bool merge_tags; /* feature merge-run-tags: tags of all tiers add up */
};

struct test {
    struct arena arena;
    const char *path;
    struct script *script;
    struct options script_options;
    struct options consolidated, derived;
    struct execution_tuple tuple;
    struct execution_plan plan;
    struct threshold_set thresholds;
    bool has_thresholds; /* false: --no-thresholds */
    struct ip_pool local_ips;
    bool has_local_ips;
    struct tls_config *tls;
    struct map run_tags;
    struct vu_config vu_config;
    struct instance_info init_instance; /* VU 0's */
    struct failure abort_failure;       /* exec.test.abort() in the init code */
    struct dependencies dependencies;   /* filled when the script was linked */
    bool only_imports;
};

void test_init(struct test *t);
int test_load(struct test *t, const struct test_source *source, struct failure *f);
int test_consolidate(struct test *t, const struct test_tiers *tiers, struct failure *f);
int test_derive(struct test *t, struct failure *f);
/* t.thresholds from t.consolidated: a part of test_derive. */
int test_bind_thresholds(struct test *t, struct failure *f);
int test_make_vu_config(struct test *t, struct failure *f);
void test_release(struct test *t);

/* load/test_network.c: the network options, for test_make_vu_config. */
int test_make_http_config(struct test *t, struct http_client_config *out, struct failure *f);
