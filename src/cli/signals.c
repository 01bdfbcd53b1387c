#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "load/failure.h"

static struct {
    uv_signal_t interrupt, terminate;
    void (*ask)(void *arg, const char *name);
    void *arg;
    bool is_asked, is_on;
} signals;

static void on_signal(uv_signal_t *handle, int number) {
    const char *name = number == SIGINT ? "interrupt" : "terminated";
    (void)handle;
    if (signals.is_asked) {
        log_fields(LOG_ERROR, SLICE("Aborting k6 in response to signal"), LOG_STR("sig", name));
        log_flush();
        _exit(EXIT_CODE_EXTERNAL_ABORT);
    }
    signals.is_asked = true;
    signals.ask(signals.arg, name);
}

void signals_start(struct worker *main_worker, void (*ask)(void *arg, const char *name),
                   void *arg) {
    uv_loop_t *loop = worker_uv(main_worker);
    signals.ask = ask;
    signals.arg = arg;
    signals.is_on = true;
    uv_signal_init(loop, &signals.interrupt);
    uv_signal_init(loop, &signals.terminate);
    uv_signal_start(&signals.interrupt, on_signal, SIGINT);
    uv_signal_start(&signals.terminate, on_signal, SIGTERM);
}

void signals_stop(void) {
    if (!signals.is_on)
        return;
    signals.is_on = false;
    uv_close((uv_handle_t *)&signals.interrupt, NULL);
    uv_close((uv_handle_t *)&signals.terminate, NULL);
}
