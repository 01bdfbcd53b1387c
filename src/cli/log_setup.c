#include "cli/log_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/loki.h"

bool log_setup_no_color(const struct flags *flags) {
    const char *k6 = getenv("K6_NO_COLOR");
    return flags_bool(flags, "no-color", false) || getenv("NO_COLOR") || (k6 && *k6);
}

static const char *flag_or_env(const struct flags *flags, const char *flag, const char *variable) {
    const char *value = flags_text(flags, flag);
    return value ? value : getenv(variable);
}

int log_level_parse(struct slice name, enum log_level *out, struct error *err) {
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {{"debug", LOG_DEBUG}, {"trace", LOG_DEBUG},  {"info", LOG_INFO},
                  {"warn", LOG_WARN},   {"warning", LOG_WARN}, {"error", LOG_ERROR},
                  {"fatal", LOG_ERROR}, {"panic", LOG_ERROR}};
    for (size_t i = 0; i < countof(levels); i++) {
        if (slice_ieq(name, slice_cstr(levels[i].name))) {
            *out = levels[i].level;
            return 0;
        }
    }
    return error_set(err, KE_CONFIG, "unknown log level %.*s", SLICE_FMT(name));
}

/* file=PATH[,level=LEVEL]: appended to, readable by the user alone. */
static int open_file(struct slice config, struct log_config *cfg, struct error *err) {
    char *path = NULL;
    int rc = 0;
    while (config.ptr && !rc) {
        struct slice value = slice_cut(&config, ',');
        struct slice key = slice_cut(&value, '=');
        if (slice_eq(key, SLICE("file")) && value.len) {
            free(path);
            path = slice_dup(value);
        } else if (slice_eq(key, SLICE("level"))) {
            enum log_level level = LOG_INFO;
            rc = log_level_parse(value, &level, err);
            if (!rc && level > cfg->level)
                cfg->level = level;
        } else {
            rc = error_set(err, KE_CONFIG, "unknown logfile config key %.*s", SLICE_FMT(key));
        }
    }
    if (!rc && !path)
        rc = error_set(err, KE_CONFIG, "filepath must not be empty");
    if (!rc) {
        cfg->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (cfg->fd < 0)
            rc = error_set(err, KE_CONFIG, "cannot open log file '%s': %s", path, strerror(errno));
    }
    free(path);
    return rc;
}

int log_setup(const struct flags *flags, bool is_stdout_taken, struct error *err) {
    struct log_config cfg = {.level = flags_bool(flags, "verbose", false) ? LOG_DEBUG : LOG_INFO,
                             .fd = 2};
    cfg.no_color = log_setup_no_color(flags);
    const char *format = flag_or_env(flags, "log-format", "K6_LOG_FORMAT");
    if (format && strcmp(format, "json") == 0)
        cfg.format = LOG_FORMAT_JSON;
    else if (format && strcmp(format, "raw") == 0)
        cfg.format = LOG_FORMAT_RAW;
    const char *output = flag_or_env(flags, "log-output", "K6_LOG_OUTPUT");
    struct slice o = slice_cstr(output ? output : "stderr");
    int rc = 0;
    bool is_loki = false;
    if (slice_eq(o, SLICE("stdout")))
        cfg.fd = is_stdout_taken ? 2 : 1;
    else if (slice_eq(o, SLICE("none")))
        cfg.fd = -1;
    else if (slice_eq(o, SLICE("file")) || slice_starts(o, SLICE("file=")))
        rc = open_file(o, &cfg, err);
    else if (slice_starts(o, SLICE("loki")))
        is_loki = true;
    else if (!slice_eq(o, SLICE("stderr")) && o.len)
        rc = error_set(err, KE_CONFIG, "unsupported log output '%.*s'", SLICE_FMT(o));
    if (rc)
        return rc;
    const char *term = getenv("TERM");
    cfg.is_tty = cfg.fd >= 0 && isatty(cfg.fd) && !(term && strcmp(term, "dumb") == 0);
    if (is_loki) {
        cfg.fd = -1;
        cfg.format = LOG_FORMAT_RAW;
    }
    if (is_loki) /* before the log leaves stderr: its errors are to be seen */
        rc = loki_start(o, err);
    if (rc == 0)
        log_init(&cfg);
    return rc;
}
