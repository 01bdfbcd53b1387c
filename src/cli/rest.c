/* stats, status, pause, resume and scale: clients of a running test's REST API. They print YAML, as
 * k6 does. */
#include <stdio.h>
#include <string.h>

#include "api/client.h"
#include "api/envelope.h"
#include "base/compat.h"
#include "cli/api_address.h"
#include "cli/command.h"
#include "cli/yaml.h"
#include "load/jansson_read.h"

static int find_address(const struct command *self, const struct flags *flags,
                        const char **out_address, struct error *err) {
    *out_address = api_address(flags, NULL);
    if (**out_address != '\0')
        return 0;
    return error_set(err, KE_CONFIG,
                     "The REST API server is disabled, but this command needs to %s it. Enable it "
                     "by setting --address or K6_ADDRESS.",
                     strcmp(self->name, "stats") == 0 ? "read metrics from" : "talk to");
}

static int fetch(const struct command *self, const struct flags *flags, const char *method,
                 const char *path, struct slice body, json_t **out, struct error *err) {
    const char *address;
    struct buf answer;
    int rc = find_address(self, flags, &address, err);
    if (rc != 0)
        return rc;
    buf_init(&answer, BUF_NO_CAP);
    rc = api_request(address, method, path, body, &answer, err);
    if (rc == 0) {
        json_error_t why;
        *out = json_loadb(answer.ptr != NULL ? answer.ptr : "", answer.len, 0, &why);
        if (*out == NULL)
            rc = error_set(err, KE_INVALID, "%s",
                           answer.len == 0 ? "unexpected end of JSON input" : why.text);
    }
    buf_release(&answer);
    return rc;
}

/* ---- status */

static void print_status(const json_t *answer) {
    static const char *const keys[] = {"status",  "paused",  "vus",    "vus-max",
                                       "stopped", "running", "tainted"};
    const json_t *attributes = json_object_get(json_object_get(answer, "data"), "attributes");
    struct buf out;
    buf_init(&out, BUF_NO_CAP);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        /* The values that may be missing are texts in k6's YAML. */
        bool is_nullable = i >= 1 && i <= 3;
        yaml_put(&out, 0, keys[i], json_object_get(attributes, keys[i]),
                 is_nullable ? YAML_QUOTED : YAML_PLAIN);
    }
    fputs(buf_cstr(&out), stdout);
    buf_release(&out);
}

static int ask_status(const struct command *self, const struct flags *flags, const char *method,
                      struct slice body) {
    struct error err = {0};
    json_t *answer = NULL;
    if (fetch(self, flags, method, "/v1/status", body, &answer, &err) != 0)
        return command_fail(EXIT_CODE_GENERIC, &err);
    print_status(answer);
    json_decref(answer);
    return EXIT_CODE_OK;
}

static int status(const struct command *self, const struct flags *flags, int argc, char **argv) {
    (void)argc;
    (void)argv;
    return ask_status(self, flags, "GET", SLICE(""));
}

/* One of the values is not NULL. */
static int patch(const struct command *self, const struct flags *flags, const bool *paused,
                 const int64_t *vus, const int64_t *max_vus) {
    struct json_writer w;
    struct buf body;
    buf_init(&body, BUF_NO_CAP);
    envelope_begin(&w, &body, "status", "default");
    json_key(&w, "paused");
    paused != NULL ? json_bool(&w, *paused) : json_null(&w);
    json_key(&w, "vus");
    vus != NULL ? json_int(&w, *vus) : json_null(&w);
    json_key(&w, "vus-max");
    max_vus != NULL ? json_int(&w, *max_vus) : json_null(&w);
    json_key(&w, "stopped");
    json_bool(&w, false);
    envelope_end(&w);
    int rc = ask_status(self, flags, "PATCH", buf_slice(&body));
    buf_release(&body);
    return rc;
}

static int pause_test(const struct command *self, const struct flags *flags, int argc,
                      char **argv) {
    const bool yes = true;
    (void)argc;
    (void)argv;
    return patch(self, flags, &yes, NULL, NULL);
}

static int resume_test(const struct command *self, const struct flags *flags, int argc,
                       char **argv) {
    const bool no = false;
    (void)argc;
    (void)argv;
    return patch(self, flags, &no, NULL, NULL);
}

static int scale(const struct command *self, const struct flags *flags, int argc, char **argv) {
    int64_t vus = flags_int(flags, "vus", 0), max_vus = flags_int(flags, "max", 0);
    bool has_vus = flags_has(flags, "vus"), has_max = flags_has(flags, "max");
    struct error err;
    (void)argc;
    (void)argv;
    if (!has_vus && !has_max) {
        error_set(&err, KE_INVALID, "Specify either -u/--vus or -m/--max");
        return command_fail(EXIT_CODE_GENERIC, &err);
    }
    return patch(self, flags, NULL, has_vus ? &vus : NULL, has_max ? &max_vus : NULL);
}

/* ---- stats */

/* k6's own form: a type is an object of its own, which says whether it is known. */
static void put_type(struct buf *out, const char *key, const json_t *type) {
    buf_printf(out, "  %s:\n", key);
    yaml_put(out, 4, "type", type, YAML_PLAIN);
    buf_printf(out, "    valid: %s\n", json_is_string(type) ? "true" : "false");
}

static void put_metric(struct buf *out, const json_t *metric) {
    const json_t *attributes = json_object_get(metric, "attributes");
    json_t *sample = json_object_get(attributes, "sample"), *value;
    const char *key;
    buf_append_str(out, "- ");
    yaml_put(out, 0, "name", json_object_get(metric, "id"), YAML_PLAIN);
    put_type(out, "type", json_object_get(attributes, "type"));
    put_type(out, "contains", json_object_get(attributes, "contains"));
    yaml_put(out, 2, "tainted", json_object_get(attributes, "tainted"), YAML_QUOTED);
    if (json_object_size(sample) == 0) {
        buf_append_str(out, "  sample: {}\n");
        return;
    }
    buf_append_str(out, "  sample:\n");
    json_object_foreach(sample, key, value) {
        yaml_put(out, 4, key, value, YAML_PLAIN);
    }
}

static int stats(const struct command *self, const struct flags *flags, int argc, char **argv) {
    struct error err = {0};
    struct buf out;
    json_t *answer = NULL, *metric;
    size_t i;
    (void)argc;
    (void)argv;
    if (fetch(self, flags, "GET", "/v1/metrics", SLICE(""), &answer, &err) != 0)
        return command_fail(EXIT_CODE_GENERIC, &err);
    const json_t *data = json_object_get(answer, "data");
    buf_init(&out, BUF_NO_CAP);
    json_array_foreach(data, i, metric) {
        put_metric(&out, metric);
    }
    if (out.len == 0)
        buf_append_str(&out, "[]\n");
    fputs(buf_cstr(&out), stdout);
    buf_release(&out);
    json_decref(answer);
    return EXIT_CODE_OK;
}

/* ---- the commands */

#define HOW_TO_FIND                                                                               \
    "\n\nUse the global --address flag or, as k6 v2, the environment variable K6_ADDRESS to say " \
    "where the REST API of the test is."

static const struct flag_def scale_flags[] = {
    {"max", 'm', FLAG_INT, NULL, "max available virtual users", NULL},
    {"vus", 'u', FLAG_INT, NULL, "number of virtual users", NULL},
    {NULL},
};

const struct command cmd_stats = {
    .name = "stats",
    .usage = "stats",
    .summary = "Show test metrics",
    .about = "Show test metrics." HOW_TO_FIND,
    .max_args = -1,
    .run = stats,
};

const struct command cmd_status = {
    .name = "status",
    .usage = "status",
    .summary = "Show test status",
    .about = "Show test status." HOW_TO_FIND,
    .max_args = -1,
    .run = status,
};

const struct command cmd_pause = {
    .name = "pause",
    .usage = "pause",
    .summary = "Pause a running test",
    .about =
        "Pause a running test: no iteration begins and its clock stands still until it is resumed." HOW_TO_FIND,
    .max_args = -1,
    .run = pause_test,
};

const struct command cmd_resume = {
    .name = "resume",
    .usage = "resume",
    .summary = "Resume a paused test",
    .about = "Resume a paused test, or start one that waits (run --paused)." HOW_TO_FIND,
    .max_args = -1,
    .run = resume_test,
};

const struct command cmd_scale = {
    .name = "scale",
    .usage = "scale",
    .summary = "Scale a running test",
    .about =
        "Scale a running test. An externally-controlled scenario takes both numbers, constant-vus and "
        "shared-iterations take --vus, arrival rates take --max." HOW_TO_FIND,
    .max_args = -1,
    .flags = (const struct flag_def *const[]){scale_flags, NULL},
    .run = scale,
};
