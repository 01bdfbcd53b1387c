#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "access_log.h"
#include "api.h"
#include "app.h"
#include "config.h"
#include "db.h"
#include "listener.h"
#include "pizza_store.h"
#include "server.h"
#include "web.h"

extern char **environ;

static int fail(const struct error *err) {
    fprintf(stderr, "quickpizza: %s\n", err->text);
    return EXIT_FAILURE;
}

static void note_start(struct access_log *log, const char *url) {
    char detail[LISTENER_URL_BYTES + 8];
    snprintf(detail, sizeof detail, "url=%s", url);
    access_log_note(log, "QuickPizza is listening", detail);
}

/* Blocks the signals in this thread, and so in those it starts. */
static void block_stop_signals(sigset_t *out_signals) {
    sigemptyset(out_signals);
    sigaddset(out_signals, SIGINT);
    sigaddset(out_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, out_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int serve(struct app *app, int listen_fd, const char *url, const sigset_t *stop_signals,
                 struct error *err) {
    struct server *server = NULL;
    api_catalog_prepare(app->catalog);
    api_copy_prepare(app->catalog);
    api_ops_prepare(app->config);
    web_prepare();
    int rc = server_start(&server, app, listen_fd, err);
    if (rc == 0) {
        note_start(app->log, url);
        int signal_number = 0;
        sigwait(stop_signals, &signal_number);
        access_log_note(app->log, "QuickPizza stops", NULL);
        server_stop(server);
    }
    web_release();
    api_ops_release();
    api_copy_release();
    api_catalog_release();
    return rc;
}

static int run(const struct config *config, struct error *err) {
    struct catalog catalog;
    struct db db;
    struct app app = {.config = config, .catalog = &catalog, .db = &db};
    sigset_t stop_signals;
    char url[LISTENER_URL_BYTES];
    int listen_fd;

    block_stop_signals(&stop_signals);
    int rc = db_open(&db, config->db_path, err);
    if (rc != 0)
        return rc;
    rc = catalog_load(&catalog, &db, err);
    if (rc != 0)
        goto out_db;
    rc = pizza_store_open(&app.pizzas, &db, &catalog, config->pizzas, err);
    if (rc != 0)
        goto out_catalog;
    rc = access_log_open(&app.log, config, err);
    if (rc != 0)
        goto out_store;
    rc = listener_open(config->listen, &listen_fd, url, err);
    if (rc == 0)
        rc = serve(&app, listen_fd, url, &stop_signals, err);

    access_log_close(app.log);
out_store:
    pizza_store_close(app.pizzas);
out_catalog:
    catalog_release(&catalog);
out_db:
    db_close(&db);
    return rc;
}

int main(int argc, char *argv[]) {
    struct config config;
    struct error err;
    enum config_action action;
    int status = EXIT_SUCCESS;
    if (config_load(&config, argc, argv, environ, &action, &err) != 0)
        status = fail(&err);
    else if (action == CONFIG_HELP)
        fputs(config_usage(), stdout);
    else if (action == CONFIG_VERSION)
        puts("quickpizza v" KILN_VERSION);
    else if (run(&config, &err) != 0)
        status = fail(&err);
    config_release(&config);
    return status;
}
