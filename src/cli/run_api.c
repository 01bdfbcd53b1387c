#include "cli/run_api.h"

#include <stdlib.h>

#include "base/compat.h"
#include "base/log.h"
#include "cli/api_address.h"
#include "cli/command.h"

static bool is_profiling(const struct flags *flags) {
    return flags_bool(flags, "profiling-enabled", getenv("K6_PROFILING_ENABLED") != NULL);
}

int run_api_start(struct run_api *a, const struct flags *flags, struct worker *main_worker) {
    bool is_explicit;
    struct api_config config = {.address = api_address(flags, &is_explicit),
                                .program = program_name,
                                .version = KILN_VERSION,
                                .is_profiling = is_profiling(flags),
                                .main_worker = main_worker};
    *a = (struct run_api){0};
    if (*config.address == '\0') {
        if (config.is_profiling && !compat_is_v051())
            log_printf(LOG_WARN, "Profiling is enabled but no REST API server is running — "
                                 "profiling endpoints won't be reachable until you enable the "
                                 "REST API server via --address (or K6_ADDRESS)");
        return 0;
    }
    if (config.is_profiling)
        a->profiling_address = config.address;
    a->api = api_start(&config, &a->problem);
    if (a->api != NULL || !is_explicit)
        return 0;
    log_fields(LOG_ERROR, SLICE("Error from API server"), LOG_STR("error", a->problem.text));
    return EXIT_CODE_CANNOT_START_API;
}

void run_api_set_run(struct run_api *a, struct run *run) {
    if (a->api != NULL)
        api_set_run(a->api, run);
    else if (a->problem.code != 0)
        log_fields(LOG_WARN, SLICE("Error from API server"), LOG_STR("error", a->problem.text));
}

void run_api_stop(struct run_api *a) {
    api_stop(a->api);
    a->api = NULL;
}
