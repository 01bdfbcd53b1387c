#include "load/options.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/compat.h"
#include "load/option_table.h"
#include "metrics/tags.h"

#define ROW(key, env, name, kind, member, flags) \
    { key, env, name, OPTION_##kind, offsetof(struct options, member), flags }

const struct option_row option_rows[] = {
    ROW("paused", "K6_PAUSED", "Paused", BOOL, paused, 0),
    ROW("vus", "K6_VUS", "VUs", INT, vus, OPTION_SHORTCUT),
    ROW("duration", "K6_DURATION", "Duration", DURATION, duration,
        OPTION_SHORTCUT | OPTION_EXECUTION),
    ROW("iterations", "K6_ITERATIONS", "Iterations", INT, iterations,
        OPTION_SHORTCUT | OPTION_EXECUTION),
    ROW("stages", "K6_STAGES", "Stages", STAGES, stages, OPTION_SHORTCUT | OPTION_EXECUTION),
    ROW("scenarios", NULL, "Scenarios", SCENARIOS, scenarios, OPTION_EXECUTION),
    ROW("executionSegment", NULL, "ExecutionSegment", SEGMENT, execution_segment, 0),
    ROW("executionSegmentSequence", NULL, "ExecutionSegmentSequence", SEQUENCE,
        execution_segment_sequence, 0),
    ROW("noSetup", "K6_NO_SETUP", "NoSetup", BOOL, no_setup, 0),
    ROW("setupTimeout", "K6_SETUP_TIMEOUT", "SetupTimeout", DURATION, setup_timeout, 0),
    ROW("noTeardown", "K6_NO_TEARDOWN", "NoTeardown", BOOL, no_teardown, 0),
    ROW("teardownTimeout", "K6_TEARDOWN_TIMEOUT", "TeardownTimeout", DURATION, teardown_timeout, 0),
    ROW("handleSummaryTimeout", "K6_HANDLE_SUMMARY_TIMEOUT", "HandleSummaryTimeout", DURATION,
        handle_summary_timeout, OPTION_NOT_V051),
    ROW("rps", "K6_RPS", "RPS", INT, rps, 0),
    ROW("dns", "K6_DNS", "DNS", DNS, dns, 0),
    ROW("maxRedirects", "K6_MAX_REDIRECTS", "MaxRedirects", INT, max_redirects, 0),
    ROW("userAgent", "K6_USER_AGENT", "UserAgent", TEXT, user_agent, 0),
    ROW("batch", "K6_BATCH", "Batch", INT, batch, 0),
    ROW("batchPerHost", "K6_BATCH_PER_HOST", "BatchPerHost", INT, batch_per_host, 0),
    ROW("httpDebug", "K6_HTTP_DEBUG", "HTTPDebug", TEXT, http_debug, 0),
    ROW("insecureSkipTLSVerify", "K6_INSECURE_SKIP_TLS_VERIFY", "InsecureSkipTLSVerify", BOOL,
        insecure_skip_tls_verify, 0),
    ROW("tlsCipherSuites", "K6_TLS_CIPHER_SUITES", "TLSCipherSuites", CIPHER_SUITES,
        tls_cipher_suites, 0),
    ROW("tlsVersion", NULL, "TLSVersion", TLS_VERSION, tls_version, 0),
    ROW("tlsAuth", "K6_TLSAUTH", "TLSAuth", TLS_AUTH, tls_auth, 0),
    ROW("throw", "K6_THROW", "Throw", BOOL, throw_errors, 0),
    ROW("thresholds", "K6_THRESHOLDS", "Thresholds", THRESHOLDS, thresholds, 0),
    ROW("blacklistIPs", "K6_BLACKLIST_IPS", "BlacklistIPs", CIDRS, blacklist_ips, 0),
    ROW("blockHostnames", "K6_BLOCK_HOSTNAMES", "BlockedHostnames", HOSTNAMES, block_hostnames, 0),
    ROW("hosts", "K6_HOSTS", "Hosts", HOSTS, hosts, 0),
    ROW("noConnectionReuse", "K6_NO_CONNECTION_REUSE", "NoConnectionReuse", BOOL,
        no_connection_reuse, 0),
    ROW("noVUConnectionReuse", "K6_NO_VU_CONNECTION_REUSE", "NoVUConnectionReuse", BOOL,
        no_vu_connection_reuse, 0),
    ROW("minIterationDuration", "K6_MIN_ITERATION_DURATION", "MinIterationDuration", DURATION,
        min_iteration_duration, 0),
    ROW("cloud", NULL, "Cloud", RAW, cloud, OPTION_OMIT_EMPTY),
    ROW("ext", NULL, "External", RAW_OBJECT, ext, 0),
    ROW("summaryTrendStats", "K6_SUMMARY_TREND_STATS", "SummaryTrendStats", LIST,
        summary_trend_stats, 0),
    ROW("summaryTimeUnit", "K6_SUMMARY_TIME_UNIT", "SummaryTimeUnit", TEXT, summary_time_unit, 0),
    ROW("systemTags", "K6_SYSTEM_TAGS", "SystemTags", SYSTEM_TAGS, system_tags, 0),
    ROW("tags", "K6_TAGS", "RunTags", MAP, tags, 0),
    ROW("metricSamplesBufferSize", "K6_METRIC_SAMPLES_BUFFER_SIZE", "MetricSamplesBufferSize", INT,
        metric_samples_buffer_size, 0),
    ROW("noCookiesReset", "K6_NO_COOKIES_RESET", "NoCookiesReset", BOOL, no_cookies_reset, 0),
    ROW("discardResponseBodies", "K6_DISCARD_RESPONSE_BODIES", "DiscardResponseBodies", BOOL,
        discard_response_bodies, 0),
    ROW("features", NULL, "Features", LIST, features, OPTION_NOT_V051),
    ROW("consoleOutput", "K6_CONSOLE_OUTPUT", "ConsoleOutput", TEXT, console_output,
        OPTION_NOT_IN_JSON),
    ROW("localIPs", "K6_LOCAL_IPS", "LocalIPs", IP_POOL, local_ips, OPTION_NOT_IN_JSON),
    {0}};

bool option_is_set(const struct options *o, const struct option_row *row) {
    const void *field = option_field(o, row);
    switch (row->kind) {
    case OPTION_BOOL:
        return ((const struct opt_bool *)field)->is_set;
    case OPTION_INT:
        return ((const struct opt_int *)field)->is_set;
    case OPTION_DURATION:
        return ((const struct opt_duration *)field)->is_set;
    case OPTION_TEXT:
    case OPTION_RAW:
    case OPTION_RAW_OBJECT:
    case OPTION_IP_POOL:
        return ((const struct opt_text *)field)->is_set;
    case OPTION_LIST:
    case OPTION_CIPHER_SUITES:
    case OPTION_CIDRS:
    case OPTION_HOSTNAMES:
        return ((const struct opt_list *)field)->is_set;
    case OPTION_MAP:
    case OPTION_HOSTS:
        return ((const struct opt_map *)field)->is_set;
    case OPTION_STAGES:
        return ((const struct opt_stages *)field)->is_set;
    case OPTION_SCENARIOS:
        return ((const struct opt_scenarios *)field)->is_set;
    case OPTION_SEGMENT:
        return ((const struct opt_segment *)field)->is_set;
    case OPTION_SEQUENCE:
        return ((const struct opt_sequence *)field)->is_set;
    case OPTION_TLS_VERSION:
        return ((const struct opt_tls_version *)field)->is_set;
    case OPTION_TLS_AUTH:
        return ((const struct opt_tls_auth *)field)->is_set;
    case OPTION_THRESHOLDS:
        return ((const struct opt_thresholds *)field)->is_set;
    case OPTION_SYSTEM_TAGS:
        return ((const struct opt_system_tags *)field)->is_set;
    case OPTION_DNS:
        return o->dns.ttl.is_set || o->dns.select.is_set || o->dns.policy.is_set;
    }
    return false;
}

static const char *default_trend_stats[] = {"avg", "min", "med", "max", "p(90)", "p(95)"};

void options_init(struct options *o) {
    *o = (struct options){0};
    for (const struct option_row *row = option_rows; row->key != NULL; row++)
        if (row->kind == OPTION_TEXT || row->kind == OPTION_RAW || row->kind == OPTION_RAW_OBJECT ||
            row->kind == OPTION_IP_POOL)
            ((struct opt_text *)option_field(o, row))->value = "";
    o->vus.value = 1;
    o->setup_timeout.ns = o->teardown_timeout.ns = 60 * NS_PER_S;
    o->handle_summary_timeout.ns = 120 * NS_PER_S;
    o->dns.ttl.value = "5m";
    o->dns.select.value = "random";
    o->dns.policy.value = "preferIPv4";
    o->max_redirects.value = 10;
    o->user_agent.value = compat_text(COMPAT_USER_AGENT);
    o->batch.value = 20;
    o->batch_per_host.value = 6;
    o->metric_samples_buffer_size.value = 1000;
    o->summary_trend_stats =
        (struct opt_list){default_trend_stats, countof(default_trend_stats), false};
    o->system_tags.bits = SYSTEM_TAGS_DEFAULT;
}

static bool sets_execution(const struct options *tier) {
    return tier->duration.is_set || tier->iterations.is_set || tier->stages.is_set ||
           tier->scenarios.is_set;
}

bool options_drop_scenarios(const struct options *o, const struct options *tier) {
    return o->scenarios.is_set && sets_execution(tier);
}

static void merge_field(struct options *o, const struct options *tier,
                        const struct option_row *row) {
    static const size_t sizes[] = {
        [OPTION_BOOL] = sizeof(struct opt_bool),
        [OPTION_INT] = sizeof(struct opt_int),
        [OPTION_DURATION] = sizeof(struct opt_duration),
        [OPTION_TEXT] = sizeof(struct opt_text),
        [OPTION_LIST] = sizeof(struct opt_list),
        [OPTION_MAP] = sizeof(struct opt_map),
        [OPTION_STAGES] = sizeof(struct opt_stages),
        [OPTION_SCENARIOS] = sizeof(struct opt_scenarios),
        [OPTION_SEGMENT] = sizeof(struct opt_segment),
        [OPTION_SEQUENCE] = sizeof(struct opt_sequence),
        [OPTION_DNS] = 0, /* by its parts */
        [OPTION_CIPHER_SUITES] = sizeof(struct opt_list),
        [OPTION_TLS_VERSION] = sizeof(struct opt_tls_version),
        [OPTION_TLS_AUTH] = sizeof(struct opt_tls_auth),
        [OPTION_THRESHOLDS] = sizeof(struct opt_thresholds),
        [OPTION_CIDRS] = sizeof(struct opt_list),
        [OPTION_HOSTNAMES] = sizeof(struct opt_list),
        [OPTION_HOSTS] = sizeof(struct opt_map),
        [OPTION_RAW] = sizeof(struct opt_text),
        [OPTION_RAW_OBJECT] = sizeof(struct opt_text),
        [OPTION_SYSTEM_TAGS] = sizeof(struct opt_system_tags),
        [OPTION_IP_POOL] = sizeof(struct opt_text),
    };
    memcpy(option_field(o, row), option_field(tier, row), sizes[row->kind]);
}

static void merge_text(struct opt_text *to, const struct opt_text *from) {
    if (from->is_set)
        *to = *from;
}

/* k6 drops stages without a duration here, and only here. */
static void keep_timed_stages(struct arena *a, struct opt_stages *stages) {
    struct stage *kept = arena_alloc(a, (stages->len + 1) * sizeof *kept);
    size_t n = 0;
    for (size_t i = 0; i < stages->len; i++)
        if (stages->items[i].duration.is_set)
            kept[n++] = stages->items[i];
    stages->items = kept;
    stages->len = n;
}

void options_merge(struct arena *a, struct options *o, const struct options *tier) {
    if (sets_execution(tier)) {
        o->duration = (struct opt_duration){0};
        o->iterations = (struct opt_int){0};
        o->stages = (struct opt_stages){0};
        o->scenarios = (struct opt_scenarios){0};
    }
    for (const struct option_row *row = option_rows; row->key != NULL; row++) {
        bool is_empty_map = row->kind == OPTION_MAP && tier->tags.len == 0;
        if (option_is_set(tier, row) && row->kind != OPTION_DNS && !is_empty_map)
            merge_field(o, tier, row);
    }
    if (tier->stages.is_set)
        keep_timed_stages(a, &o->stages);
    merge_text(&o->dns.ttl, &tier->dns.ttl);
    merge_text(&o->dns.select, &tier->dns.select);
    merge_text(&o->dns.policy, &tier->dns.policy);
}
