#include "js/embedded.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/check.h"
#include "embed/jslib_npm.h"
#include "embed/jslib_own.h"

#define PREFIX "https://jslib.k6.io/"
#define VERSION(major, minor) ((major)*1000UL + (minor))

struct embedded_module {
    const char *library, *file; /* PREFIX library / version / file */
    const char *source;         /* of src/js/jslib or .deps/jslib/embed */
    unsigned long since;        /* the first version with these functions */
};

/* Newer versions of a module before older ones. */
static const struct embedded_module modules[] = {
    {"ajv", "index.js", "ajv.js", 0},
    {"aws", "aws.js", "aws.js", VERSION(0, 9)},
    {"aws", "core.js", "aws_core.js", VERSION(0, 9)},
    {"aws", "event-bridge.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "index.js", "aws.js", VERSION(0, 9)},
    {"aws", "json.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "kinesis.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "kms.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "lambda.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "s3.js", "aws_s3.js", VERSION(0, 9)},
    {"aws", "secrets-manager.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "signature.js", "aws_core.js", VERSION(0, 9)},
    {"aws", "sqs.js", "aws_json.js", VERSION(0, 9)},
    {"aws", "ssm.js", "aws_json.js", VERSION(0, 9)},
    {"expect", "index.js", "expect.js", 0},
    {"form-urlencoded", "index.js", "form_urlencoded.js", 0},
    {"formdata", "index.js", "formdata.js", 0},
    {"functional", "index.js", "expect.js", 0},
    {"http-instrumentation-pyroscope", "index.js", "pyroscope.js", 0},
    {"http-instrumentation-pyroscope", "shared.js", "instrumentation.js", 0},
    {"http-instrumentation-tempo", "index.js", "tempo.js", 0},
    {"http-instrumentation-tempo", "shared.js", "instrumentation.js", 0},
    {"httpx", "index.js", "httpx.js", 0},
    {"jsonpath", "index.js", "jsonpath.js", 0},
    {"k6-summary", "index.js", "k6_summary.js", 0},
    {"k6-testing", "index.js", "k6_testing.js", 0},
    {"k6-utils", "index.js", "k6_utils_stages.js", VERSION(1, 3)},
    {"k6-utils", "index.js", "k6_utils.js", 0},
    {"k6chaijs", "index.js", "k6chaijs.js", 0},
    {"k6chaijs", "chai.js", "chai.js", 0},
    {"k6chaijs-contracts", "index.js", "k6chaijs_contracts.js", 0},
    {"kahwah", "index.js", "kahwah.js", 0},
    {"papaparse", "index.js", "papaparse.js", 0},
    {"sm-screenshots", "index.js", "sm_screenshots.js", 0},
    {"totp", "index.js", "totp.js", 0},
    {"url", "index.js", "url.js", 0},
};

/* "1.4.0/index.js" -> VERSION(1, 4); what is no such version counts as the newest. */
static unsigned long version_of(const char *text) {
    char *dot;
    unsigned long major = strtoul(text, &dot, 10);
    return dot > text && *dot == '.' ? VERSION(major, strtoul(dot + 1, NULL, 10)) : ~0UL;
}

static bool is_url_of(const struct embedded_module *m, const char *url) {
    size_t len = strlen(m->library);
    if (strncmp(url, m->library, len) != 0 || url[len] != '/')
        return false;
    const char *version = url + len + 1, *slash = strchr(version, '/');
    return slash && strcmp(slash + 1, m->file) == 0 && version_of(version) >= m->since;
}

static const struct embedded_file *find_source(const char *path) {
    for (size_t i = 0; i < jslib_own_count; i++)
        if (strcmp(jslib_own[i].path, path) == 0)
            return &jslib_own[i];
    for (size_t i = 0; i < jslib_npm_count; i++)
        if (strcmp(jslib_npm[i].path, path) == 0)
            return &jslib_npm[i];
    return NULL;
}

static char *inflated(const struct embedded_file *f, size_t *out_len) {
    uLongf len = f->inflated_bytes;
    char *text = xmalloc(len + 1);
    CHECK(uncompress((Bytef *)text, &len, f->data, f->bytes) == Z_OK);
    text[len] = '\0';
    *out_len = len;
    return text;
}

static const struct embedded_module *find_module(const char *url) {
    size_t prefix_len = sizeof PREFIX - 1;
    if (strncmp(url, PREFIX, prefix_len) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if (is_url_of(&modules[i], url + prefix_len))
            return &modules[i];
    return NULL;
}

bool js_embedded_has(const char *url) {
    return find_module(url) != NULL;
}

char *js_embedded_find(const char *url, size_t *out_len) {
    const struct embedded_module *m = find_module(url);
    if (!m)
        return NULL;
    const struct embedded_file *f = find_source(m->source);
    CHECK(f != NULL);
    return inflated(f, out_len);
}
