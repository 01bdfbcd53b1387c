#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "access_log.h"
#include "api.h"
#include "app.h"
#include "config.h"
#include "db.h"
#include "grpc_listen.h"
#include "grpc_server.h"
#include "listener.h"
#include "metrics.h"
#include "pizza_store.h"
#include "rating_store.h"
#include "server.h"
#include "user_store.h"
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
}

static int start_grpc(struct app *app, struct grpc_server **out, struct error *err) {
    struct grpc_sockets sockets;
    char detail[2 * LISTENER_URL_BYTES + 32];
    int rc = grpc_listen(app->config, &sockets, err);
    if (rc == 0 && sockets.calls_fd >= 0)
        rc = grpc_server_start(out, sockets.calls_fd, sockets.health_fd, err);
    if (rc == 0 && sockets.is_busy)
        access_log_failure(app->log,
                           "gRPC is off: its ports are in use, choose others with --grpc-listen");
    if (rc == 0 && sockets.address[0] != '\0') {
        snprintf(detail, sizeof detail, "grpc=%s health=%s", sockets.address,
                 sockets.health_address);
        access_log_note(app->log, "QuickPizza serves gRPC", detail);
    }
    return rc;
}

static int serve(struct app *app, int listen_fd, const char *url, const sigset_t *stop_signals,
                 struct error *err) {
    struct server *server = NULL;
    struct grpc_server *grpc = NULL;
    api_catalog_prepare(app->catalog);
    api_copy_prepare(app->catalog);
    api_config_prepare(app->config);
    web_prepare();
    int rc = start_grpc(app, &grpc, err);
    if (rc == 0)
        rc = server_start(&server, app, listen_fd, err);
    if (rc == 0) {
        note_start(app->log, url);
        int signal_number = 0;
        sigwait(stop_signals, &signal_number);
        access_log_note(app->log, "QuickPizza stops", NULL);
        server_stop(server);
    }
    grpc_server_stop(grpc);
    web_release();
    api_config_release();
    api_copy_release();
    api_catalog_release();
    return rc;
}

static int open_stores(struct app *app, struct error *err) {
    const struct config *config = app->config;
    int rc = pizza_store_open(&app->pizzas, app->db, app->catalog, config->pizzas, err);
    if (rc == 0)
        rc = user_store_open(&app->users, app->db, config->users, err);
    if (rc == 0)
        rc = rating_store_open(&app->ratings, app->db, config->ratings, err);
    return rc;
}

static int run(const struct config *config, struct error *err) {
    struct catalog catalog = {0};
    struct app app = {.config = config, .catalog = &catalog};
    sigset_t stop_signals;
    char url[LISTENER_URL_BYTES];
    int listen_fd;

    block_stop_signals(&stop_signals);
    int rc = db_open(&app.db, config->db, err);
    if (rc == 0)
        rc = catalog_load(&catalog, app.db, err);
    if (rc == 0)
        rc = open_stores(&app, err);
    if (rc == 0)
        rc = access_log_open(&app.log, config, err);
    if (rc != 0)
        goto out;
    db_set_log(app.db, app.log);
    app.metrics = metrics_new(&catalog);
    rc = listener_open(config->listen, &listen_fd, url, err);
    if (rc == 0)
        rc = serve(&app, listen_fd, url, &stop_signals, err);
out:
    rating_store_close(app.ratings);
    user_store_close(app.users);
    pizza_store_close(app.pizzas);
    if (app.db != NULL)
        db_set_log(app.db, NULL);
    access_log_close(app.log);
    metrics_free(app.metrics);
    catalog_release(&catalog);
    db_close(app.db);
    return rc;
}

int main(int argc, char *argv[]) {
    struct config config;
    struct error err;
    enum config_action action;
    int status = EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN);
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
