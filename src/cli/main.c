#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"

/* The log as the first flags say, so that even a bad flag is reported in the right form. */
static void log_setup_early(void) {
    struct log_config cfg = {.level = LOG_INFO, .fd = 2, .is_tty = isatty(2)};
    cfg.no_color = getenv("NO_COLOR") || (getenv("K6_NO_COLOR") && *getenv("K6_NO_COLOR"));
    log_init(&cfg);
}

int main(int argc, char **argv) {
    const char *base = argc ? strrchr(argv[0], '/') : NULL;
    if (argc)
        program_name = base ? base + 1 : argv[0];
    /* Writing to who has hung up is an error like others, not the end of a run. */
    signal(SIGPIPE, SIG_IGN);
    log_setup_early();
    return command_main(argc, argv);
}
