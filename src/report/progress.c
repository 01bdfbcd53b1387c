#include "report/progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define TERM_WIDTH_DEFAULT 80

/* The cursor of a terminal rests at the top of the block last drawn. */
struct progress {
    struct progress_config config;
    struct progress_layout layout;
    pthread_mutex_t lock; /* of what follows, and of writing */
    struct buf last;      /* the block as drawn, to draw it again after other text */
    bool is_hooked;
};

/* Around each log record: clears the block, then draws it again below the record. The lock is held
 * in between. */
static void before_record(void *arg) {
    struct progress *p = arg;
    pthread_mutex_lock(&p->lock);
    if (p->last.len > 0)
        fd_write_all(p->config.fd, SLICE("\r\x1b[J"));
}

static void after_record(void *arg) {
    struct progress *p = arg;
    fd_write_all(p->config.fd, buf_slice(&p->last));
    pthread_mutex_unlock(&p->lock);
}

struct progress *progress_new(const struct progress_config *cfg) {
    struct progress *p = xcalloc(1, sizeof *p);
    p->config = *cfg;
    p->layout = (struct progress_layout){.is_tty = cfg->is_tty,
                                         .color = cfg->is_tty && !cfg->no_color,
                                         .term_width = TERM_WIDTH_DEFAULT,
                                         .bar_width = PROGRESS_BAR_MAX};
    buf_init(&p->last, BUF_NO_CAP);
    pthread_mutex_init(&p->lock, NULL);
    p->is_hooked = cfg->is_tty && !cfg->is_quiet;
    if (p->is_hooked)
        log_set_ui_hook(before_record, after_record, p);
    return p;
}

static void unhook(struct progress *p) {
    if (p->is_hooked)
        log_set_ui_hook(NULL, NULL, NULL);
    p->is_hooked = false;
}

void progress_free(struct progress *p) {
    if (p == NULL)
        return;
    unhook(p);
    buf_release(&p->last);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int64_t progress_period_ns(const struct progress *p) {
    return p->config.is_tty ? 100 * NS_PER_MS : NS_PER_S;
}

static void draw(struct progress *p, const struct progress_view *view, bool go_back) {
    struct winsize size;
    if (p->config.is_quiet)
        return;
    pthread_mutex_lock(&p->lock);
    if (p->config.is_tty && ioctl(p->config.fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        p->layout.term_width = size.ws_col;
    p->layout.go_back = go_back;
    buf_reset(&p->last);
    progress_render(&p->last, view, &p->layout);
    fd_write_all(p->config.fd, buf_slice(&p->last));
    if (!p->config.is_tty || !go_back)
        buf_reset(&p->last); /* nothing to draw again */
    pthread_mutex_unlock(&p->lock);
}

void progress_update(struct progress *p, const struct progress_view *view) {
    draw(p, view, true);
}

void progress_finish(struct progress *p, const struct progress_view *view) {
    draw(p, view, false);
    unhook(p);
}

void progress_print(struct progress *p, struct slice text) {
    pthread_mutex_lock(&p->lock);
    if (p->last.len > 0)
        fd_write_all(p->config.fd, SLICE("\r\x1b[J"));
    fd_write_all(p->config.fd, text);
    fd_write_all(p->config.fd, buf_slice(&p->last));
    pthread_mutex_unlock(&p->lock);
}
